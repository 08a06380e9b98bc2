import { median, middleHalf } from './statistics.ts'

/** One line of a table: the same work done by both sides, or by ours alone. */
export interface Row {
  readonly name: string
  /** The most that ours may take: times theirs, or in `unit` where there is no peer. */
  readonly target?: number | undefined
  /** Seconds, unless something else is measured. */
  readonly unit?: 'MiB' | 'ms' | 'calls' | undefined
}

export type Side = 'ours' | 'theirs'

export const SIDES: readonly Side[] = ['ours', 'theirs']

/** What one round took, in the row's unit, and of processor time if known. */
export interface Sample {
  readonly value: number
  readonly processor?: number
}

/** What the rounds found, row by row. */
export class Samples {
  readonly rows: Row[] = []
  readonly #samples = new Map<string, Record<Side, Sample[]>>()

  record(row: Row, side: Side, sample: Sample): void {
    let samples = this.#samples.get(row.name)
    if (samples === undefined) {
      samples = { ours: [], theirs: [] }
      this.#samples.set(row.name, samples)
      this.rows.push(row)
    }
    samples[side].push(sample)
  }

  get results(): readonly Result[] {
    return this.rows.map((row) => this.#result(row))
  }

  #result(row: Row): Result {
    const { ours, theirs } = this.#samples.get(row.name) ?? NOTHING
    const ratios = ratiosOf(ours.map(valueOf), theirs.map(valueOf))
    const processor = ratiosOf(
      ours.map(processorOf),
      theirs.map(processorOf),
    ).filter(Number.isFinite)
    const [low, high] = middleHalf(
      ratios.length > 0 ? ratios : ours.map(valueOf),
    )
    return {
      row,
      ours: median(ours.map(valueOf)),
      theirs: medianIfAny(theirs.map(valueOf)),
      ratio: medianIfAny(ratios),
      low,
      high,
      processor: medianIfAny(processor),
      rounds: ours.length,
    }
  }
}

/**
 * Both halves of a pair ran within seconds of each other, so what else the machine
 * did weighs on both: ratios of pairs are steadier than that of two medians.
 */
function ratiosOf(
  ours: readonly number[],
  theirs: readonly number[],
): readonly number[] {
  return theirs.map((peer, round) => (ours[round] ?? Number.NaN) / peer)
}

function medianIfAny(values: readonly number[]): number | undefined {
  return values.length > 0 ? median(values) : undefined
}

function valueOf({ value }: Sample): number {
  return value
}

function processorOf({ processor }: Sample): number {
  return processor ?? Number.NaN
}

export interface Result {
  readonly row: Row
  readonly ours: number
  readonly theirs: number | undefined
  /** The median of ours / theirs, pair by pair; none without a peer. */
  readonly ratio: number | undefined
  /** The middle half of the ratios lies between these, or of the values. */
  readonly low: number
  readonly high: number
  /** The same of processor time, which others on the machine weigh on less. */
  readonly processor: number | undefined
  readonly rounds: number
}

/** Unsure is a target that lies between the lowest and highest quarter. */
export type Verdict = 'met' | 'unsure' | 'MISSED'

export function verdict(result: Result): Verdict | undefined {
  const { row, ratio, ours, low } = result
  if (row.target === undefined) return undefined
  if ((ratio ?? ours) <= row.target) return 'met'
  return low <= row.target ? 'unsure' : 'MISSED'
}

const NOTHING: Record<Side, Sample[]> = { ours: [], theirs: [] }
