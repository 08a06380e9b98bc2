import { InvalidArgumentError } from '../base/errors.ts'
import type { Snapshot } from '../volume/snapshot.ts'

/**
 * Which snapshots are kept, such as `4h:1d:2w`: all of the last four hours, one for
 * each four hours of the last day, one for each day of the last two weeks, and none
 * that is older.
 */
export interface Retention {
  /** In milliseconds, each longer than the one before. */
  readonly spans: readonly number[]
}

const TERM = /^(?<count>[1-9]\d{0,4})(?<unit>[mhdwy])$/

const MINUTE = 60_000
const UNITS: Readonly<Record<string, number>> = {
  m: MINUTE,
  h: 60 * MINUTE,
  d: 24 * 60 * MINUTE,
  w: 7 * 24 * 60 * MINUTE,
  y: 365 * 24 * 60 * MINUTE,
}

/** @throws InvalidArgumentError that says what is wrong, and what would be right. */
export function parseRetention(text: string): Retention {
  const spans = text.split(':').map((term) => spanOf(text, term))
  const isRising = spans.every((span, nth) => span > (spans[nth - 1] ?? 0))
  if (isRising) return { spans }
  throw refusal(text, 'each time must be longer than the one before')
}

/** What is to be kept of `snapshots`, and what has had its time. */
export interface Sorted {
  readonly keep: readonly Snapshot[]
  readonly delete: readonly Snapshot[]
}

/**
 * Sorts snapshots by whether they are to be kept at the moment `now`.
 *
 * Of those that share a span's share of time the oldest is kept, so that what is
 * kept today stays kept until its span is over. The newest of all is kept however old
 * it is: a schedule that has stopped to work does not delete what it has made.
 */
export function sortByRetention(
  snapshots: readonly Snapshot[],
  { spans }: Retention,
  now: number,
): Sorted {
  const byAge = snapshots.toSorted((one, other) =>
    one.createdAt < other.createdAt ? -1 : 1,
  )
  const taken = new Set<string>()
  const isKept = (snapshot: Snapshot): boolean => {
    if (snapshot === byAge.at(-1)) return true
    const time = Date.parse(snapshot.createdAt)
    const span = spans.findIndex((length) => now - time <= length)
    if (span < 0) return false
    const share = spans[span - 1]
    if (share === undefined) return true
    const slot = `${span}/${Math.floor(time / share)}`
    if (taken.has(slot)) return false
    taken.add(slot)
    return true
  }
  const keep = byAge.filter(isKept)
  return { keep, delete: byAge.filter((one) => !keep.includes(one)) }
}

function spanOf(text: string, term: string): number {
  const { count = '', unit = '' } = TERM.exec(term)?.groups ?? {}
  const length = UNITS[unit]
  if (length !== undefined) return Number(count) * length
  throw refusal(
    text,
    `"${term}" is not a number with m, h, d, w or y for minutes, hours, days, weeks or years`,
  )
}

function refusal(text: string, reason: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `Retention "${text}" is not valid: ${reason}, such as 4h:1d:2w`,
  )
}
