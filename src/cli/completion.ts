import { type Completion, type Option, optionsOf, type Verb } from './verb.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const

type Shell = (typeof SHELLS)[number]

/** What may stand where the last of the words is being typed. */
export interface Offer {
  readonly words: readonly string[]
  /** What must be asked of the daemon, or the shell, besides. */
  readonly more?: Completion
}

/**
 * Asks the command itself, so that what is offered is what there is: volumes by
 * their names among it. Files are left to the shell.
 */
const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_stowage() {
  local IFS=$'\\n'
  COMPREPLY=($(stowage complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -o bashdefault -F _stowage stowage
`,
  zsh: `#compdef stowage
_stowage() {
  local -a offered
  offered=("\${(@f)$(stowage complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$offered" ]]; then compadd -a offered; else _files; fi
}
compdef _stowage stowage
`,
  fish: `function __stowage
  set -l words (commandline -opc) (commandline -ct)
  stowage complete -- $words[2..-1] 2>/dev/null
end
complete -c stowage -a '(__stowage)'
`,
}

export function completionScript(shell: Shell): string {
  return SCRIPTS[shell]
}

/** What the verbs offer for the last of `typed`, which may be empty yet. */
export function offerFor(
  typed: readonly string[],
  verbs: readonly Verb[],
): Offer {
  const before = typed.slice(0, -1)
  const verb = verbs.find(
    ({ name }) => before.slice(0, name.split(' ').length).join(' ') === name,
  )
  if (verb === undefined) return { words: nextWords(before, verbs) }
  return offerOf(verb, typed.slice(verb.name.split(' ').length))
}

function nextWords(
  before: readonly string[],
  verbs: readonly Verb[],
): readonly string[] {
  const next = verbs
    .map(({ name }) => name.split(' '))
    .filter((words) => before.every((word, at) => words[at] === word))
    .map((words) => words[before.length] ?? '')
  return [...new Set(next)]
}

function offerOf(verb: Verb, typed: readonly string[]): Offer {
  const options = optionsOf(verb)
  const previous = optionNamed(typed.at(-2), options)
  if (previous?.value !== undefined) return offered(previous.completes)
  if (typed.at(-1)?.startsWith('-') === true) {
    return { words: options.map(({ name }) => `--${name}`) }
  }
  return offered(parameterAt(verb, positionals(typed, options)))
}

/** What the parameter completes to that stands after `count` others. */
function parameterAt(
  { parameters = [] }: Verb,
  count: number,
): Completion | undefined {
  const last = parameters.at(-1)
  const parameter =
    parameters[count] ?? (last?.isMany === true ? last : undefined)
  return parameter?.completes
}

/** Words before the last that are neither options nor their values. */
function positionals(
  typed: readonly string[],
  options: readonly Option[],
): number {
  let count = 0
  typed.slice(0, -1).forEach((word, at) => {
    const isValue = optionNamed(typed[at - 1], options)?.value !== undefined
    if (!word.startsWith('-') && !isValue) count += 1
  })
  return count
}

function optionNamed(
  word: string | undefined,
  options: readonly Option[],
): Option | undefined {
  return options.find(
    ({ name, short }) => word === `--${name}` || word === `-${short}`,
  )
}

function offered(completes: Completion | undefined): Offer {
  if (completes === undefined) return { words: [] }
  if (typeof completes === 'string') return { words: [], more: completes }
  return { words: completes }
}
