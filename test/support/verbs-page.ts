import type { Verb } from '../../src/cli/verb.ts'
import { GROUPS, VERBS } from '../../src/cli/verbs.ts'

const HEAD = `# The stowage command

It speaks to the daemon's admin socket, and finds the one of the service and of the managed plugin by itself. Every
verb prints JSON with \`--json\`, and tells more with \`--help\`. This page is made of the command itself, by
\`npm run docs\`.
`

/** The page of all verbs, as Markdown. */
export function verbsPage(): string {
  const groups = new Map<string, readonly Verb[]>()
  for (const verb of VERBS) {
    const [word = ''] = verb.name.split(' ')
    const group = GROUPS[word] ?? 'Alone'
    groups.set(group, [...(groups.get(group) ?? []), verb])
  }
  const chapters = [...groups].map(
    ([group, verbs]) => `\n## ${group}\n\n${verbs.map(described).join('\n')}`,
  )
  return HEAD + chapters.join('')
}

function described({
  name,
  summary,
  parameters = [],
  options = [],
}: Verb): string {
  const words = parameters.map(({ name: word, isOptional, isMany }) => {
    const shown = `${word.toUpperCase()}${isMany === true ? '…' : ''}`
    return isOptional === true ? `[${shown}]` : shown
  })
  const lines = [`- \`${['stowage', name, ...words].join(' ')}\`: ${summary}`]
  for (const { name: option, value, about } of options) {
    const shown = value === undefined ? `--${option}` : `--${option} ${value}`
    lines.push(`  - \`${shown}\`: ${about}`)
  }
  return `${lines.join('\n')}\n`
}
