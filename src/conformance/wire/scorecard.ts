import type { Outcome } from './check.ts'

/** How a plugin did, for programs. */
export interface Scorecard {
  readonly plugin: string
  readonly kept: number
  readonly broken: number
  readonly skipped: number
  /** Whether it keeps every promise that Docker depends on. */
  readonly conforms: boolean
  readonly outcomes: readonly Outcome[]
}

/** Counts `outcomes`, and says by them whether `plugin` conforms. */
export function scorecard(
  plugin: string,
  outcomes: readonly Outcome[],
): Scorecard {
  const count = (result: Outcome['result']): number =>
    outcomes.filter((outcome) => outcome.result === result).length
  return {
    plugin,
    kept: count('kept'),
    broken: count('broken'),
    skipped: count('skipped'),
    conforms: !outcomes.some(
      ({ result, weight }) => result === 'broken' && weight === 'must',
    ),
    outcomes,
  }
}

const MARKS = { kept: '✔', broken: '✘', skipped: '–' } as const

/** One line for each promise, and why where it is broken. */
export function outcomeText({
  result,
  weight,
  title,
  reason,
}: Outcome): string {
  const advice = result === 'broken' && weight === 'should' ? ' (advice)' : ''
  const why = reason === undefined ? '' : `\n      ${reason}`
  return `  ${MARKS[result]} ${title}${advice}${why}\n`
}

/** The last lines of a scorecard for people. */
export function summaryText(card: Scorecard): string {
  const { kept, broken, skipped, conforms } = card
  const advice = card.outcomes.filter(
    ({ result, weight }) => result === 'broken' && weight === 'should',
  ).length
  const verdict = conforms
    ? 'It keeps every promise that Docker depends on.'
    : `It breaks ${broken - advice} that Docker depends on.`
  return `\n${kept} promises kept, ${broken} broken (${advice} of them advice), ${skipped} not examined. ${verdict}\n`
}
