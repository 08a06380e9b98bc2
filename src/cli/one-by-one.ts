import type { Session } from './session.ts'

export interface OneByOne {
  readonly act: (name: string) => Promise<void>
  /** What people are told of each. */
  readonly text: (name: string) => string
  /** What programs are told of all that were done. */
  readonly value: (done: readonly string[]) => unknown
}

/**
 * Does the same to each of `names`, one after the other until one fails. What was
 * done before that is told of too.
 */
export async function oneByOne(
  names: readonly string[],
  { act, text, value }: OneByOne,
  session: Session,
): Promise<void> {
  const done: string[] = []
  try {
    for (const name of names) {
      await act(name)
      done.push(name)
      if (!session.isJson) session.terminal.print(`${text(name)}\n`)
    }
  } finally {
    if (session.isJson) session.show(value(done), () => '')
  }
}
