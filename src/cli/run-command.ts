import { CommanderError } from 'commander'
import { messageOf, StowageError } from '../base/errors.ts'
import { AdminFailure } from './admin-failure.ts'
import { commandLine } from './command-line.ts'
import { exitCode, exitCodeOf } from './exit-codes.ts'
import type { Given } from './given.ts'
import { Session, type Surroundings } from './session.ts'
import type { Verb } from './verb.ts'
import { GROUPS, VERBS } from './verbs.ts'

/** Runs `stowage VERB …`, and answers what the process should end with. */
export async function runCommand(
  words: readonly string[],
  options: Surroundings,
): Promise<number> {
  const { terminal, version } = options
  let code = exitCode('done')
  const parser = commandLine(VERBS, {
    version,
    epilogue: await epilogue(words, options),
    groups: GROUPS,
    print: (text) => terminal.print(text),
    complain: (text) => terminal.complain(text),
    run: async (verb, given) => {
      code = await runVerb(verb, given, options)
    },
  })
  try {
    await parser.parseAsync(withoutHelp(words), { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? exitCode('done') : exitCode('usage')
  }
}

/** Those who ask for help of the whole program, or of the daemon's own verb. */
const DAEMON_WORDS = ['help', 'serve']

/** `help volume ls` is what many type for `volume ls --help`. */
function withoutHelp(words: readonly string[]): readonly string[] {
  const [first, ...rest] = words
  return first === 'help' ? [...rest, '--help'] : words
}

/** What is told after the list of verbs, where that is asked for. */
async function epilogue(
  [first = '--help']: readonly string[],
  { settings }: Surroundings,
): Promise<string> {
  if (!first.startsWith('-') && !DAEMON_WORDS.includes(first)) return ''
  return (await settings()).settingsHelp()
}

async function runVerb(
  verb: Verb,
  given: Given,
  surroundings: Surroundings,
): Promise<number> {
  const session = new Session(surroundings, {
    json: given.flag('json'),
    socket: given.maybe('socket'),
  })
  try {
    return (await verb.run(given, session)) ?? exitCode('done')
  } catch (error) {
    if (surroundings.signal.aborted) {
      surroundings.terminal.complain('stowage: Interrupted\n')
      return exitCode('interrupted')
    }
    await complain(error, session)
    return exitCodeOf(error)
  }
}

/** Says what failed, who is in the way, and what to do. */
async function complain(error: unknown, session: Session): Promise<void> {
  const { terminal, isJson } = session
  if (isJson) {
    terminal.complain(`${JSON.stringify({ error: described(error) })}\n`)
    return
  }
  terminal.complain(`stowage: ${messageOf(error)}\n`)
  if (!(error instanceof AdminFailure)) return
  const { code, causes, hint, holders = [], request } = error.failure
  const lines = [
    ...causes.map((cause) => `because: ${cause}`),
    ...(await holderNames(holders, session)).map((name) => `held by: ${name}`),
    hint,
    code === 'internal'
      ? `the daemon's log knows it as request ${request}`
      : undefined,
  ]
  for (const line of lines) {
    if (line !== undefined) terminal.complain(`  ${line}\n`)
  }
}

/** The daemon knows mount ids, and Docker knows whose they are. */
async function holderNames(
  holders: readonly string[],
  session: Session,
): Promise<readonly string[]> {
  if (holders.length === 0) return []
  const who = await session.whoUses()
  return holders.map((holder) => {
    const container = who.holderName(holder)
    return container === undefined ? holder : `container ${container}`
  })
}

function described(error: unknown): object {
  if (error instanceof AdminFailure) return error.failure
  const code = error instanceof StowageError ? error.kind : 'internal'
  return { code, message: messageOf(error) }
}
