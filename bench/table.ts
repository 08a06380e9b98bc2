import { cpus, loadavg, release } from 'node:os'
import { type Result, type Row, verdict } from './row.ts'

const HEAD = [
  'row',
  'ours',
  'theirs',
  'ratio',
  'middle half',
  'target',
  '',
  'cpu',
  'n',
] as const

/** The results as aligned columns, under a line about the machine. */
export function table(title: string, results: readonly Result[]): string {
  const lines = [HEAD, ...results.map(columns)]
  const widths = HEAD.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  )
  const text = lines.map((line) =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return column === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd(),
  )
  return [title, machine(), '', ...text, ''].join('\n')
}

function columns(result: Result): readonly string[] {
  const { row, ours, theirs, ratio, low, high, processor, rounds } = result
  const spread = (value: number): string =>
    ratio === undefined ? amount(value, row) : value.toFixed(2)
  return [
    row.name,
    amount(ours, row),
    theirs === undefined ? '' : amount(theirs, row),
    ratio === undefined ? '' : ratio.toFixed(ratio < 0.1 ? 3 : 2),
    `${spread(low)}–${spread(high)}`,
    row.target === undefined ? '' : String(row.target),
    verdict(result) ?? '',
    processor === undefined ? '' : processor.toFixed(2),
    String(rounds),
  ]
}

function amount(value: number, { unit }: Row): string {
  if (unit !== undefined) return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`
  if (value < 0.1) return `${(value * 1000).toPrecision(3)} ms`
  return `${value.toPrecision(3)} s`
}

function machine(): string {
  const load = loadavg().map((average) => average.toFixed(2))
  return `${cpus().length} cores, Linux ${release()}, Node ${process.versions.node}, load average ${load.join(' ')}`
}
