import { randomBytes } from 'node:crypto'
import { NotFoundError } from '../base/errors.ts'

const ID =
  /^(?<date>\d{4}-\d\d-\d\d)T(?<hour>\d\d)(?<minute>\d\d)(?<second>\d\d\.\d{3})Z-[0-9a-f]{8}$/

/** What tells this process's ids from those of other processes and stores. */
let last = 0
const origin = randomBytes(2).toString('hex')

/**
 * A new id for a removed volume: when it is removed, to the millisecond, and
 * something that no other store's has. Those of one process are in order.
 */
export function nextTrashId(now: Date = new Date()): string {
  last = (last + 1) % 0x1_0000
  const count = last.toString(16).padStart(4, '0')
  const when = now.toISOString().replaceAll(':', '')
  return `${when}-${origin}${count}`
}

/**
 * When the volume was removed that has this id, as RFC 3339 has it.
 *
 * @throws NotFoundError for what is no id.
 */
export function removedAt(id: string): string {
  const { date, hour, minute, second } = ID.exec(id)?.groups ?? {}
  if (date !== undefined) return `${date}T${hour}:${minute}:${second}Z`
  throw new NotFoundError(`The trash has nothing under ${JSON.stringify(id)}`)
}
