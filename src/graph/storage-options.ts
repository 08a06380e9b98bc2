import { InvalidArgumentError } from '../base/errors.ts'

/** What `dockerd --storage-opt` can say to Stowage. */
export interface StorageOptions {
  /** How to keep layers: the name of a driver, or `auto`. */
  readonly driver?: string
}

const PREFIX = 'stowage.'
const KNOWN = ['driver'] as const

/**
 * Reads `--storage-opt` pairs such as `stowage.driver=overlay`. Names are
 * case-insensitive.
 *
 * @throws InvalidArgumentError for an option that is unknown, or given twice.
 */
export function parseStorageOptions(pairs: readonly string[]): StorageOptions {
  const options: { driver?: string } = {}
  for (const pair of pairs) {
    const [, key = pair, value = ''] = /^([^=]*)=(.*)$/s.exec(pair) ?? []
    const name = known(key)
    if (options[name] !== undefined) {
      throw new InvalidArgumentError(`Storage option "${key}" is given twice`)
    }
    if (value === '') {
      throw new InvalidArgumentError(
        `Storage option "${pair}" has no value: it should be like "${PREFIX}driver=overlay"`,
      )
    }
    options[name] = value
  }
  return options
}

function known(key: string): (typeof KNOWN)[number] {
  const name = KNOWN.find((it) => `${PREFIX}${it}` === key.toLowerCase())
  if (name !== undefined) return name
  const names = KNOWN.map((it) => `"${PREFIX}${it}"`).join(', ')
  throw new InvalidArgumentError(
    `Storage option "${key}" is unknown: known are ${names}`,
  )
}
