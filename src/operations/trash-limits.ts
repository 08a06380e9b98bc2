import { InvalidArgumentError } from '../base/errors.ts'
import type { StoreRoom } from '../volume/volume-usage.ts'

/** How long removed volumes are kept, and how much room they leave. */
export interface TrashLimits {
  /** Milliseconds that one may be brought back for; none are kept if it is 0. */
  readonly keepFor: number
  /** Below this much free room in a store, those removed first are deleted early. */
  readonly leaveFree: FreeMark
}

/** A part of all room. */
export interface FreeMark {
  readonly percent: number
}

/** For whoever has no opinion. */
export const USUAL_LIMITS: TrashLimits = {
  keepFor: 86_400_000,
  leaveFree: { percent: 5 },
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** @throws InvalidArgumentError that says how a time is written. */
export function parseKeepFor(text: string): number {
  const { amount, unit = '' } =
    /^(?<amount>\d{1,6})(?<unit>[smhd])$/.exec(text)?.groups ?? {}
  if (text === '0') return 0
  if (amount !== undefined) return Number(amount) * (UNITS[unit] ?? 0)
  throw new InvalidArgumentError(
    'give a number with s, m, h or d for days, such as 24h; or 0',
  )
}

/** @throws InvalidArgumentError that says how a mark is written. */
export function parseFreeMark(text: string): FreeMark {
  const percent = /^(\d{1,2})%$/.exec(text)?.[1]
  if (percent !== undefined) return { percent: Number(percent) }
  throw new InvalidArgumentError('give a part of all room from 0% to 99%')
}

export function isBelow({ total, free }: StoreRoom, mark: FreeMark): boolean {
  return free < (total / 100) * mark.percent
}
