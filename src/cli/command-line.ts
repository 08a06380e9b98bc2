import { Argument, Command, Option as CommanderOption } from 'commander'
import { Given } from './given.ts'
import { type Option, optionsOf, type Parameter, type Verb } from './verb.ts'

export interface CommandLineOptions {
  readonly version: string
  /** What groups of verbs are about, by their first word. */
  readonly groups: Readonly<Record<string, string>>
  /** Told after the list of verbs. */
  readonly epilogue: string
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
  readonly run: (verb: Verb, given: Given) => Promise<void>
}

/** The parser of `stowage VERB …`, made of the verbs. */
export function commandLine(
  verbs: readonly Verb[],
  options: CommandLineOptions,
): Command {
  const root = new Command('stowage')
    .description('Docker volumes that hold, and image layers that are exact')
    .version(options.version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .addHelpText('after', options.epilogue)
  quieten(root, options)
  for (const verb of verbs) addVerb(root, verb, options)
  return root
}

/** What it has to say goes where we say; when to exit is not its affair. */
function quieten(command: Command, options: CommandLineOptions): void {
  command
    .exitOverride()
    .showSuggestionAfterError()
    .helpCommand(false)
    .configureOutput({
      writeOut: options.print,
      writeErr: (text) => options.complain(asOurs(text)),
    })
    .configureHelp({ helpWidth: 80 })
}

/** The parser's complaints begin as all others do. */
function asOurs(text: string): string {
  return text.replace(
    /^error: (.)/,
    (_match, first: string) => `stowage: ${first.toUpperCase()}`,
  )
}

function addVerb(root: Command, verb: Verb, options: CommandLineOptions): void {
  const words = verb.name.split(' ')
  const parent =
    words.length === 1 ? root : group(root, words[0] ?? '', options)
  const command = parent.command(words.at(-1) ?? '')
  quieten(command, options)
  command
    .description([verb.summary, verb.details].filter(Boolean).join('.\n\n'))
    .summary(verb.summary)
    .helpOption('-h, --help', 'print this')
    .addHelpText('after', examplesOf(verb))
  for (const parameter of verb.parameters ?? []) {
    command.addArgument(argument(parameter))
  }
  const flags = optionsOf(verb)
  for (const option of flags) command.addOption(flag(option))
  command.action(async () => {
    const given = new Given(valuesOf(verb, command, flags))
    await options.run(verb, given)
  })
}

function group(
  root: Command,
  name: string,
  options: CommandLineOptions,
): Command {
  const present = root.commands.find((command) => command.name() === name)
  if (present !== undefined) return present
  const command = root
    .command(name)
    .description(options.groups[name] ?? '')
    .helpOption('-h, --help', 'print this')
  quieten(command, options)
  return command
}

function argument({ name, about, isOptional, isMany }: Parameter): Argument {
  const shown = isMany === true ? `${name}...` : name
  return new Argument(isOptional === true ? `[${shown}]` : `<${shown}>`, about)
}

function flag({ name, short, value, about, isMany }: Option): CommanderOption {
  const long = value === undefined ? `--${name}` : `--${name} <${value}>`
  const flags = short === undefined ? long : `-${short}, ${long}`
  const option = new CommanderOption(flags, about)
  if (isMany !== true) return option
  return option.argParser(collected)
}

function collected(
  text: string,
  before: readonly string[] | undefined,
): readonly string[] {
  return [...(before ?? []), text]
}

/** What commander has found, by the names that the verb gave. */
function valuesOf(
  verb: Verb,
  command: Command,
  flags: readonly Option[],
): ReadonlyMap<string, string | boolean | readonly string[]> {
  const values = new Map<string, string | boolean | readonly string[]>()
  const take = (name: string, value: unknown): void => {
    if (isValue(value)) values.set(name, value)
  }
  const typed: readonly unknown[] = command.processedArgs
  verb.parameters?.forEach(({ name }, at) => take(name, typed[at]))
  for (const { name } of flags) {
    take(name, command.getOptionValue(camelCase(name)))
  }
  return values
}

function isValue(
  value: unknown,
): value is string | boolean | readonly string[] {
  return (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (Array.isArray(value) && value.every((one) => typeof one === 'string'))
  )
}

/** Commander's own name for an option. */
function camelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_match, letter: string) =>
    letter.toUpperCase(),
  )
}

function examplesOf({ examples }: Verb): string {
  const lines = examples.map(({ line, does }) => `  # ${does}\n  ${line}\n`)
  return `\nExamples:\n${lines.join('\n')}`
}
