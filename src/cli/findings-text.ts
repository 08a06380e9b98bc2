import { formatCount } from './amounts.ts'
import type { Repaired } from '../diagnosis/doctor.ts'
import type { Finding, Severity } from '../diagnosis/finding.ts'
import { wrapped } from './wrapped.ts'

const INDENT = '  '

/** What was found, for people: what it is, what follows, and what to do. */
export function findingsText(
  findings: readonly Finding[],
  width: number,
): string {
  if (findings.length === 0) return 'All is well\n'
  const told = findings.map((found) => findingText(found, width)).join('\n')
  return `${told}\n${summary(findings)}\n`
}

/** What was repaired, and what could not be. */
export function repairsText(
  repairs: readonly Repaired[],
  width: number,
): string {
  return repairs
    .map(({ finding: { code, subject, repair }, failure }) =>
      failure === undefined
        ? `Repaired ${code} ${subject}: ${repair?.action}`
        : `Not repaired ${code} ${subject}: ${failure}`,
    )
    .map((line) => `${wrapped(line, width, INDENT)}\n`)
    .join('')
}

function findingText(
  { severity, code, subject, title, explanation, advice, repair }: Finding,
  width: number,
): string {
  const paragraphs = [
    `${title}: ${subject}`,
    `${explanation}.`,
    `To do: ${advice}.`,
    repair === undefined ? '' : `--fix would ${repair.action}.`,
  ]
  const body = paragraphs
    .filter(Boolean)
    .map((text) => `${INDENT}${wrapped(text, width - 2, INDENT)}\n`)
    .join('')
  return `${severity.toUpperCase()} ${code}\n${body}`
}

function summary(findings: readonly Finding[]): string {
  const counts = (['error', 'warning', 'note'] satisfies Severity[])
    .map((severity) => count(findings, severity))
    .filter(Boolean)
    .join(', ')
  const repairable = findings.filter(({ repair }) => repair !== undefined)
  if (repairable.length === 0) return counts
  return `${counts}; "stowage doctor --fix" can repair ${repairable.length}`
}

function count(findings: readonly Finding[], severity: Severity): string {
  const number = findings.filter((it) => it.severity === severity).length
  return number === 0 ? '' : formatCount(number, severity)
}
