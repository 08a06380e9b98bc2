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

/** What the rounds found, row by row. */
export class Samples {
  readonly rows: Row[] = []
  readonly #values = new Map<string, Record<Side, number[]>>()

  record(row: Row, side: Side, value: number): void {
    let values = this.#values.get(row.name)
    if (values === undefined) {
      values = { ours: [], theirs: [] }
      this.#values.set(row.name, values)
      this.rows.push(row)
    }
    values[side].push(value)
  }

  get results(): readonly Result[] {
    return this.rows.map((row) => this.#result(row))
  }

  #result(row: Row): Result {
    const { ours, theirs } = this.#values.get(row.name) ?? NOTHING
    // Both halves of a pair ran within seconds of each other, so what else the
    // machine did weighs on both: ratios of pairs are steadier than medians'.
    const ratios = ours.flatMap((value, round) => {
      const peer = theirs[round]
      return peer === undefined ? [] : [value / peer]
    })
    const [low, high] = middleHalf(ratios.length > 0 ? ratios : ours)
    return {
      row,
      ours: median(ours),
      theirs: theirs.length > 0 ? median(theirs) : undefined,
      ratio: ratios.length > 0 ? median(ratios) : undefined,
      low,
      high,
      rounds: ours.length,
    }
  }
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

const NOTHING: Record<Side, number[]> = { ours: [], theirs: [] }
