#!/usr/bin/env node
import { version } from './version.ts'

// Modes are stated where files are made, and mean what they say.
process.umask(0)
process.exit(await run(process.argv.slice(2)))

/** The daemon and the administrator's command are loaded each without the other. */
async function run(words: readonly string[]): Promise<number> {
  if (words.length === 1 && words[0] === 'serve') {
    const { runDaemon } = await import('./run-daemon.ts')
    return runDaemon(version())
  }
  const { command } = await import('./command.ts')
  return command(words, version())
}
