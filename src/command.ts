import * as fs from 'node:fs/promises'
import { isErrno } from './base/errors.ts'
import { runCommand } from './cli/run-command.ts'
import { Terminal } from './cli/terminal.ts'

/** The settings of the service on this host, which a shell does not have. */
const SERVICE_SETTINGS = '/etc/default/stowage'

/** Runs `stowage VERB …` and answers what the process should end with. */
export async function command(
  words: readonly string[],
  version: string,
): Promise<number> {
  const env = { ...(await serviceSettings()), ...process.env }
  const terminal = new Terminal(process.stdout, process.stderr)
  // Whoever read the results may have read enough.
  process.stdout.on('error', (error) => {
    process.exit(isErrno(error, 'EPIPE') ? 0 : 1)
  })
  return runCommand(words, {
    version,
    env,
    // It knows all of the program, which most verbs need not wait for.
    settings: () => import('./command-settings.ts'),
    terminal,
    signal: interruption(),
  })
}

/** The file as systemd reads it: NAME=VALUE on each line, quoted or not. */
async function serviceSettings(): Promise<NodeJS.ProcessEnv> {
  let text: string
  try {
    text = await fs.readFile(SERVICE_SETTINGS, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES')) return {}
    throw error
  }
  const settings: NodeJS.ProcessEnv = {}
  for (const line of text.split('\n')) {
    const [, name, value = ''] = /^\s*(STOWAGE_\w+)=(.*)$/.exec(line) ?? []
    if (name !== undefined) {
      settings[name] = value.trim().replace(/^(["'])(.*)\1$/, '$2')
    }
  }
  return settings
}

/** The first signal lets go of what is under way; the second ends it all. */
function interruption(): AbortSignal {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interrupted.signal.aborted) process.exit(1)
      interrupted.abort()
    })
  }
  return interrupted.signal
}
