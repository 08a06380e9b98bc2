import type { Given } from './given.ts'
import type { Session } from './session.ts'

/** What a shell may offer where the word stands. */
export type Completion =
  | 'volume'
  | 'snapshot'
  | 'store'
  | 'trash'
  | 'schedule'
  | 'file'
  | readonly string[]

/** A word that follows the verb. */
export interface Parameter {
  /** As it is shown and asked for: `volume`. */
  readonly name: string
  readonly about: string
  readonly isOptional?: boolean
  /** Whether there may be more of it; only the last parameter's. */
  readonly isMany?: boolean
  readonly completes?: Completion
}

export interface Option {
  /** Long, without hyphens: `store`. */
  readonly name: string
  readonly short?: string
  /** What its value is called: `KEY=VALUE`. A switch has none. */
  readonly value?: string
  readonly about: string
  readonly isMany?: boolean
  readonly completes?: Completion
}

export interface Example {
  /** The whole command line. */
  readonly line: string
  /** What it does, in words that follow a "#". */
  readonly does: string
}

/**
 * One thing that the command can do. The parser, the help, the man page and the
 * completion of shells are made of these, so that none of them says anything else.
 */
export interface Verb {
  /** As it is typed: `volume create`. */
  readonly name: string
  readonly summary: string
  /** More than the summary says, for the help and the man page. */
  readonly details?: string
  readonly parameters?: readonly Parameter[]
  readonly options?: readonly Option[]
  /** Whether what it prints is another program's food as it is: of that there is no JSON. */
  readonly isPlain?: boolean
  readonly examples: readonly Example[]
  /** Answers the exit code, where that is not 0. */
  run(given: Given, session: Session): Promise<number | void>
}

/** What every verb takes that has results of its own. */
export const COMMON_OPTIONS: readonly Option[] = [
  { name: 'json', about: 'print JSON for programs' },
  {
    name: 'socket',
    value: 'PATH',
    about: "the administrator's socket of the daemon, if it is not found",
    completes: 'file',
  },
]

/** All that may be given to a verb: its own options, and the common ones. */
export function optionsOf({
  options = [],
  isPlain = false,
}: Verb): readonly Option[] {
  return isPlain ? options : [...options, ...COMMON_OPTIONS]
}
