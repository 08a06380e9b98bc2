import { InvalidArgumentError } from '../base/errors.ts'
import { parseSize } from './size.ts'

/** What `dockerd --storage-opt` can say to Stowage. */
export interface StorageOptions {
  /** How to keep layers: the name of a driver, or `auto`. */
  readonly driver?: string
  /** The least `size` that a container may ask btrfs for. */
  readonly smallestSize?: number
}

/** The options by name, with an example of each. */
const FORMS = {
  'stowage.driver': {
    example: 'overlay',
    read: (text) => ({ driver: text }),
  },
  'btrfs.min_space': {
    example: '20M',
    read: (text) => ({ smallestSize: parseSize(text) }),
  },
} satisfies Record<string, OptionForm>

interface OptionForm {
  readonly example: string
  readonly read: (text: string) => StorageOptions
}

/**
 * Reads `--storage-opt` pairs such as `stowage.driver=overlay`. Names are
 * case-insensitive.
 *
 * @throws InvalidArgumentError for an option that is unknown, or given twice.
 */
export function parseStorageOptions(pairs: readonly string[]): StorageOptions {
  const given = new Set<string>()
  let options: StorageOptions = {}
  for (const pair of pairs) {
    const [, key = pair, value = ''] = /^([^=]*)=(.*)$/s.exec(pair) ?? []
    const name = known(key)
    if (given.has(name)) {
      throw new InvalidArgumentError(`Storage option "${key}" is given twice`)
    }
    given.add(name)
    const { example, read } = FORMS[name]
    if (value === '') {
      throw new InvalidArgumentError(
        `Storage option "${pair}" has no value: it should be like "${name}=${example}"`,
      )
    }
    options = { ...options, ...read(value) }
  }
  return options
}

function known(key: string): keyof typeof FORMS {
  const name = key.toLowerCase()
  if (isKnown(name)) return name
  const names = Object.keys(FORMS).map((it) => `"${it}"`)
  throw new InvalidArgumentError(
    `Storage option "${key}" is unknown: known are ${names.join(', ')}`,
  )
}

function isKnown(name: string): name is keyof typeof FORMS {
  return Object.hasOwn(FORMS, name)
}
