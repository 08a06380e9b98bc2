import { InvalidArgumentError } from '../base/errors.ts'
import { parseCapacity } from './capacity.ts'

/** The store of those who name none. */
export const DEFAULT_STORE = 'default'

/** What a volume was asked to be. */
export interface VolumeOptions {
  /** The name of the store it lives in. */
  readonly store: string
  /** The most bytes it may hold. */
  readonly capacity?: number
  /** What it begins as a clone of: `VOLUME` or `VOLUME@SNAPSHOT`. */
  readonly from?: string
  /** A directory that exists already and is not ours to delete. */
  readonly path?: string
  /** Owner, group and permission bits of its root. */
  readonly uid?: number
  readonly gid?: number
  readonly mode?: number
  /** Whether mounts are read-only, once something is in it. */
  readonly ro: boolean
  /** Whether removal is refused. */
  readonly protect: boolean
  /** What is to make it whole, such as `import`: until then the next start removes it. */
  readonly unfinished?: string
  readonly labels: Readonly<Record<string, string>>
  /** All of the above as they were typed, for those who want to see it again. */
  readonly typed: Readonly<Record<string, string>>
}

interface OptionForm {
  readonly alias?: string
  /** Absent from what nobody asks for. */
  readonly meaning?: string
  readonly read: (text: string) => Partial<VolumeOptions>
}

/** The options by name; `label.KEY` has a form of its own. */
const FORMS = {
  store: {
    alias: 'volumestore',
    meaning: `which store keeps the volume; "${DEFAULT_STORE}" if not given`,
    read: (text) => ({ store: filled(text) }),
  },
  capacity: {
    alias: 'size',
    meaning: 'the most it may hold: bytes, or with KB…PB or KiB…PiB',
    read: (text) => ({ capacity: parseCapacity(text) }),
  },
  from: {
    meaning: 'begin as a clone of VOLUME or VOLUME@SNAPSHOT',
    read: (text) => ({ from: filled(text) }),
  },
  path: {
    meaning: 'adopt an existing directory, which is never deleted',
    read: (text) => ({ path: absolutePath(text) }),
  },
  uid: {
    meaning: 'owner of the root of the volume',
    read: (text) => ({ uid: ownerId(text) }),
  },
  gid: {
    meaning: 'group of the root of the volume',
    read: (text) => ({ gid: ownerId(text) }),
  },
  mode: {
    meaning: 'permission bits of the root of the volume, in octal',
    read: (text) => ({ mode: permissionBits(text) }),
  },
  ro: {
    meaning: 'mount read-only, once something is in the volume',
    read: (text) => ({ ro: flag(text) }),
  },
  protect: {
    meaning: 'refuse removal until unprotected',
    read: (text) => ({ protect: flag(text) }),
  },
  unfinished: {
    read: (text) => ({ unfinished: text }),
  },
} satisfies Record<string, OptionForm>

type OptionName = keyof typeof FORMS
type OptionValue = string | number | boolean

/** Those that may be asked for. */
const ASKED = Object.entries<OptionForm>(FORMS).filter(
  ([, { meaning }]) => meaning !== undefined,
)

const LABEL_PREFIX = 'label.'
const HELP = 'help'

/**
 * Reads the options of one volume. Names may be typed in any case, each once.
 *
 * @throws InvalidArgumentError that names the option, what was given, and what
 *   would be taken; for the option `help`, it carries the list of them all.
 */
export function parseVolumeOptions(
  typed: Readonly<Record<string, string>>,
): VolumeOptions {
  const given = new Set<string>()
  const labels: [key: string, value: string][] = []
  let options: Partial<VolumeOptions> = {}
  for (const [spelling, text] of Object.entries(typed)) {
    const name = optionName(spelling)
    if (given.has(name)) {
      throw new InvalidArgumentError(
        `Option "${name}" is given more than once, last as "${spelling}"`,
      )
    }
    given.add(name)
    if (isOptionName(name)) {
      options = { ...options, ...read(name, spelling, text) }
    } else {
      labels.push([name.slice(LABEL_PREFIX.length), text])
    }
  }
  return Object.freeze({
    store: DEFAULT_STORE,
    ro: false,
    protect: false,
    ...options,
    labels: Object.freeze(Object.fromEntries(labels)),
    typed: Object.freeze({ ...typed }),
  })
}

/**
 * What `asked` wants otherwise than the volume is: one phrase for each option,
 * none where both mean the same however they were typed.
 */
export function optionDifferences(
  volume: VolumeOptions,
  asked: VolumeOptions,
): readonly string[] {
  const has = effective(volume)
  const wants = effective(asked)
  const names = new Set([...has.keys(), ...wants.keys()])
  return [...names]
    .filter((name) => has.get(name) !== wants.get(name))
    .map((name) => {
      const [is, wanted] = [has, wants].map((of) => said(name, of.get(name)))
      return `${name} is ${is} and should be ${wanted}`
    })
}

/** The options and their meanings, as `-o help` prints them. */
export function volumeOptionsHelp(): string {
  const lines = ASKED.map(
    ([name, { alias, meaning }]) =>
      `  ${alias === undefined ? name : `${name} (also ${alias})`}: ${meaning}`,
  )
  const label = `  ${LABEL_PREFIX}KEY: kept and shown`
  return ['Options of a volume:', ...lines, label].join('\n')
}

/**
 * The option by the name it goes by here, however it was spelled.
 *
 * @throws InvalidArgumentError when there is no such option.
 */
export function optionName(spelling: string): string {
  const folded = spelling.toLowerCase()
  if (folded.startsWith(LABEL_PREFIX) && folded !== LABEL_PREFIX) {
    return LABEL_PREFIX + spelling.slice(LABEL_PREFIX.length)
  }
  if (isOptionName(folded)) return folded
  for (const [name, form] of Object.entries<OptionForm>(FORMS)) {
    if (form.alias === folded) return name
  }
  if (folded === HELP) throw new InvalidArgumentError(volumeOptionsHelp())
  throw notKnown(spelling)
}

/** @throws InvalidArgumentError for what only this program itself may write down. */
export function refuseUnasked(options: VolumeOptions): void {
  if (options.unfinished !== undefined) throw notKnown('unfinished')
}

function notKnown(spelling: string): InvalidArgumentError {
  const names = ASKED.map(([name]) => name)
  const known = [...names, `${LABEL_PREFIX}KEY`, HELP]
  return new InvalidArgumentError(
    `Option ${JSON.stringify(spelling)} is not known: the options are ${known.join(', ')}`,
  )
}

function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(FORMS, name)
}

function read(
  name: OptionName,
  spelling: string,
  text: string,
): Partial<VolumeOptions> {
  try {
    return FORMS[name].read(text)
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw new InvalidArgumentError(
      `Option "${spelling}" cannot be "${text}": ${error.message}`,
      { cause: error },
    )
  }
}

/** What the options come to, label by label, however they were typed. */
function effective({
  labels,
  typed: _typed,
  ...options
}: VolumeOptions): ReadonlyMap<string, OptionValue> {
  const ofLabels = Object.entries(labels).map(
    ([key, value]): [string, string] => [LABEL_PREFIX + key, value],
  )
  return new Map<string, OptionValue>([...Object.entries(options), ...ofLabels])
}

function said(name: string, value: OptionValue | undefined): string {
  if (value === undefined) return 'unset'
  if (name === 'mode') return `"${Number(value).toString(8).padStart(4, '0')}"`
  return `"${String(value)}"`
}

function filled(text: string): string {
  if (text !== '') return text
  throw new InvalidArgumentError('it needs a value')
}

function absolutePath(text: string): string {
  if (text.startsWith('/') && !text.includes('\0')) return text
  throw new InvalidArgumentError('it must be an absolute path')
}

/** 4294967295 is not an owner: chown(2) takes it for "leave as it is". */
function ownerId(text: string): number {
  const value = Number(text)
  if (/^\d{1,10}$/.test(text) && value < 0xffff_ffff) return value
  throw new InvalidArgumentError('it must be a number from 0 to 4294967294')
}

function permissionBits(text: string): number {
  if (/^[0-7]{1,5}$/.test(text)) {
    const bits = Number.parseInt(text, 8)
    if (bits <= 0o7777) return bits
  }
  throw new InvalidArgumentError('it must be octal, from 0 to 7777')
}

/** `-o ro` arrives with an empty value. */
function flag(text: string): boolean {
  const folded = text.toLowerCase()
  if (['', 'true', '1', 'yes'].includes(folded)) return true
  if (['false', '0', 'no'].includes(folded)) return false
  throw new InvalidArgumentError('it must be "true" or "false"')
}
