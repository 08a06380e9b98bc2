import { CommanderError } from 'commander'
import { messageOf } from '../base/errors.ts'
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
    await parser.parseAsync(words, { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? exitCode('done') : exitCode('usage')
  }
}

/** What is told after the list of verbs, where that is asked for. */
async function epilogue(
  [first = '--help']: readonly string[],
  { settings }: Surroundings,
): Promise<string> {
  if (!first.startsWith('-')) return ''
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
    complain(error, session)
    return exitCodeOf(error)
  }
}

/** Says what failed, who is in the way, and what to do. */
function complain(error: unknown, { terminal, isJson }: Session): void {
  if (isJson) {
    terminal.complain(`${JSON.stringify({ error: described(error) })}\n`)
    return
  }
  terminal.complain(`stowage: ${messageOf(error)}\n`)
  if (!(error instanceof AdminFailure)) return
  const { causes, hint, holders = [], request } = error.failure
  for (const cause of causes) terminal.complain(`  because: ${cause}\n`)
  for (const holder of holders) terminal.complain(`  held by: ${holder}\n`)
  if (hint !== undefined) terminal.complain(`  ${hint}\n`)
  if (error.failure.code === 'internal') {
    terminal.complain(`  the daemon's log knows it as request ${request}\n`)
  }
}

function described(error: unknown): object {
  if (error instanceof AdminFailure) return error.failure
  return { message: messageOf(error) }
}
