import { type Result, verdict } from './row.ts'

const LINE = 22
const NAMES = 260
const BARS = 420
const TOP = 50
const WIDEST = 2

const COLOURS = {
  met: '#3a7d44',
  unsure: '#c69026',
  MISSED: '#b3392f',
} as const

/**
 * The ratios of a table as bars, shorter is faster: a tick at each target, a line
 * where both sides are even, and a whisker over the middle half.
 */
export function chart(title: string, results: readonly Result[]): string {
  const ratios = results.filter(({ ratio }) => ratio !== undefined)
  const height = TOP + ratios.length * LINE + 30
  const even = at(1)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${NAMES + BARS + 80}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    text(10, 20, title, 'font-weight="bold"'),
    text(even, TOP - 8, 'even', 'text-anchor="middle" fill="#666666"'),
    `<line x1="${even}" x2="${even}" y1="${TOP}" y2="${height - 30}" stroke="#999999" stroke-dasharray="3 3"/>`,
    ...ratios.map((result, line) => bar(result, TOP + line * LINE)),
    text(
      10,
      height - 10,
      'ours / theirs, median of pairs; tick: target; whisker: middle half',
      'fill="#666666"',
    ),
    '</svg>',
    '',
  ].join('\n')
}

function bar(result: Result, y: number): string {
  const { row, ratio = 0, low, high } = result
  const colour = COLOURS[verdict(result) ?? 'met']
  const middle = y + LINE / 2
  const parts = [
    text(NAMES - 8, middle + 4, row.name, 'text-anchor="end"'),
    `<rect x="${NAMES}" y="${y + 4}" width="${at(ratio) - NAMES}" height="${LINE - 8}" fill="${colour}" fill-opacity="0.75"/>`,
    `<line x1="${at(low)}" x2="${at(high)}" y1="${middle}" y2="${middle}" stroke="#222222"/>`,
    text(NAMES + BARS + 12, middle + 4, ratio.toFixed(ratio < 0.1 ? 3 : 2)),
  ]
  if (row.target !== undefined) {
    const tick = at(row.target)
    parts.push(
      `<line x1="${tick}" x2="${tick}" y1="${y + 1}" y2="${y + LINE - 1}" stroke="#222222" stroke-width="2"/>`,
    )
  }
  return parts.join('')
}

/** Where a ratio lies; what is beyond the widest ends at the edge. */
function at(ratio: number): number {
  return Math.round(NAMES + (BARS * Math.min(ratio, WIDEST)) / WIDEST)
}

function text(x: number, y: number, content: string, style = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x}" y="${y}" ${style}>${escaped}</text>`
}
