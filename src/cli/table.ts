/** One column of a table for people. */
export interface Column<T> {
  readonly title: string
  readonly cell: (row: T) => string
  readonly align?: 'left' | 'right'
  /** Whether it is made narrower first where the table is too wide. */
  readonly isFlexible?: boolean
}

const GAP = '  '

/** No column is made narrower than this. */
const NARROWEST = 8

/**
 * `rows` beneath titles, as wide as they need, and no wider than `width`: what does
 * not fit is cut, with a mark that it was. Whoever passes them on to a program has
 * no width, and gets all of everything.
 */
export function table<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  width: number = Infinity,
): string {
  const cells = rows.map((row) => columns.map(({ cell }) => oneLine(cell(row))))
  const natural = columns.map(({ title }, at) =>
    Math.max(title.length, ...cells.map((row) => row[at]?.length ?? 0)),
  )
  const widths = fitted(columns, natural, width)
  const titles = columns.map(({ title }) => title)
  return [titles, ...cells]
    .map((row) =>
      row
        .map((text, at) => padded(text, widths[at] ?? 0, columns[at]?.align))
        .join(GAP)
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('')
}

/** Takes what is too much from the widest of the flexible columns, bit by bit. */
function fitted<T>(
  columns: readonly Column<T>[],
  natural: readonly number[],
  width: number,
): readonly number[] {
  const widths = [...natural]
  const gaps = GAP.length * (columns.length - 1)
  let surplus = widths.reduce((sum, one) => sum + one, gaps) - width
  const flexible = columns.flatMap(({ isFlexible = false }, at) =>
    isFlexible ? [at] : [],
  )
  while (surplus > 0) {
    const widest = flexible
      .filter((at) => (widths[at] ?? 0) > NARROWEST)
      .toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))
      .at(0)
    if (widest === undefined) break
    widths[widest] = (widths[widest] ?? 0) - 1
    surplus -= 1
  }
  return widths
}

function padded(
  text: string,
  width: number,
  align: 'left' | 'right' = 'left',
): string {
  const cut = text.length > width ? `${text.slice(0, width - 1)}…` : text
  return align === 'right' ? cut.padStart(width) : cut.padEnd(width)
}

/** A name may hold what would tear the table, or move the cursor. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?')
}
