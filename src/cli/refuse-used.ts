import { InUseError } from '../base/errors.ts'
import type { Given } from './given.ts'
import type { Session } from './session.ts'
import type { Option } from './verb.ts'

/** Does what `refuseUsed` refuses. */
export const FORCE: Option = {
  name: 'force',
  short: 'f',
  about: 'although containers name it',
}

export interface Change {
  /** The volume that is to be changed. */
  readonly name: string
  /** What would be done to it: `renamed`. */
  readonly done: string
}

/**
 * Refuses a change that the containers of a volume would not expect, whether they
 * run or not. The daemon knows who holds a volume, and refuses by itself; which
 * containers name it, only Docker knows.
 *
 * @throws InUseError unless there are none, or --force was given.
 */
export async function refuseUsed(
  { name, done }: Change,
  given: Given,
  session: Session,
): Promise<void> {
  if (given.flag('force')) return
  const who = await session.whoUses()
  if (!who.isKnown) {
    session.terminal.complain(
      `stowage: Docker does not answer, so nobody knows which containers name "${name}"\n`,
    )
  }
  const users = who.usersOf(name)
  if (users.length === 0) return
  const names = users.map((user) => user.name).join(', ')
  throw new InUseError(
    `Volume "${name}" is not ${done}: containers name it (${names}). Remove them, or give --force`,
  )
}
