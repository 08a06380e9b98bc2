import { FINDINGS } from '../diagnosis/finding.ts'
import { EXIT_CODES } from './exit-codes.ts'
import {
  COMMON_OPTIONS,
  type Option,
  type Parameter,
  type Verb,
} from './verb.ts'

/** The manual page of the command, made of its verbs, as man(7) has it. */
export function manPage(verbs: readonly Verb[], version: string): string {
  const codes = Object.values(EXIT_CODES).map(
    ([code, meaning]) => `.TP\n.B ${code}\n${escaped(meaning)}.`,
  )
  const findings = Object.entries(FINDINGS).map(
    ([code, [severity, title]]) =>
      `.TP\n.B ${escaped(code)}\n${escaped(title)} (${severity}).`,
  )
  return [
    `.TH STOWAGE 8 "" "Stowage ${version}" "System administration"`,
    '.SH NAME',
    'stowage \\- Docker volumes that hold, and image layers that are exact',
    '.SH SYNOPSIS',
    ...verbs.map(synopsis),
    '.SH DESCRIPTION',
    'Administers the storage that Stowage gives to Docker: a client of the',
    'daemon that',
    '.B stowage serve',
    'runs. Tables are for people; each verb prints JSON with',
    '.BR \\-\\-json .',
    '.SH OPTIONS OF ALL VERBS',
    ...COMMON_OPTIONS.map(option),
    '.SH VERBS',
    ...verbs.map(section),
    '.SH EXIT STATUS',
    ...codes,
    '.SH FINDINGS OF THE DOCTOR',
    ...findings,
    '.SH ENVIRONMENT',
    '.TP',
    '.B STOWAGE_ADMIN_SOCKET',
    'where the daemon answers administrators; /run/stowage/admin.sock if not set.',
    'In a plugin that Docker manages it is found by itself.',
    '.TP',
    '.B DOCKER_HOST',
    "where Docker answers, for whose containers' names are asked.",
    '.SH FILES',
    '.TP',
    '.I /etc/default/stowage',
    'settings of the service, which the command reads too.',
    '.SH SEE ALSO',
    '.BR docker-volume (1),',
    '.BR dockerd (8)',
    '',
  ].join('\n')
}

function synopsis(verb: Verb): string {
  const words = [
    ...(verb.options === undefined ? [] : ['[OPTION]...']),
    ...(verb.parameters ?? []).map(placeholder),
  ]
  const typed = ['stowage', verb.name].join(' ')
  return [`.B ${escaped(typed)}`, ...words.map(escaped), '.br'].join('\n')
}

function section(verb: Verb): string {
  const { name, summary, details, options = [], parameters = [] } = verb
  return [
    `.SS stowage ${escaped(name)}`,
    `${escaped(summary)}.`,
    ...(details === undefined ? [] : ['.PP', `${escaped(details)}.`]),
    ...parameters.map(
      (parameter) =>
        `.TP\n.I ${escaped(parameter.name)}\n${escaped(parameter.about)}`,
    ),
    ...options.map(option),
    '.PP',
    'Examples:',
    ...verb.examples.map(
      ({ line, does }) =>
        `.PP\n.nf\n.RS\n# ${escaped(does)}\n${escaped(line)}\n.RE\n.fi`,
    ),
  ].join('\n')
}

function option({ name, short, value, about, isMany }: Option): string {
  const names = short === undefined ? `--${name}` : `-${short}, --${name}`
  const shown = value === undefined ? '' : ` \\fI${escaped(value)}\\fR`
  const often = isMany === true ? ' (may be given again)' : ''
  return `.TP\n\\fB${escaped(names)}\\fR${shown}\n${escaped(about)}${often}`
}

function placeholder({ name, isMany, isOptional }: Parameter): string {
  const shown = `${name.toUpperCase()}${isMany === true ? '...' : ''}`
  return isOptional === true ? `[${shown}]` : shown
}

/** roff takes a leading dot or quote for a request, and a hyphen for a dash. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^(?=[.'])/gm, '\\&')
    .replaceAll('’', '\\(cq')
    .replaceAll('…', '...')
}
