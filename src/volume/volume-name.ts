import { randomBytes } from 'node:crypto'
import { InvalidArgumentError } from '../base/errors.ts'
import { isStorageName, MAX_NAME_BYTES } from '../storage/storage-ref.ts'

const ANONYMOUS = /^[0-9a-f]{64}$/

/** Characters of a refused name that are repeated to whoever gave it. */
const SHOWN = 60

/**
 * @throws InvalidArgumentError for what cannot be a volume's name in a store that
 *   takes at most `maxBytes`.
 */
export function checkVolumeName(name: string, maxBytes = MAX_NAME_BYTES): void {
  if (name === '') {
    throw new InvalidArgumentError('A volume needs a name, and it is empty')
  }
  if (!isStorageName(name.slice(0, MAX_NAME_BYTES))) {
    throw new InvalidArgumentError(
      `Volume name ${quoted(name)} has characters that are not allowed: use letters, digits, "_", "." and "-", and begin with a letter or digit`,
    )
  }
  if (name.length > maxBytes) {
    throw new InvalidArgumentError(
      `Volume name ${quoted(name)} is too long: it has ${name.length} characters of at most ${maxBytes}`,
    )
  }
}

/** A name as Docker makes it for a volume that nobody named. */
export function anonymousName(): string {
  return randomBytes(32).toString('hex')
}

/** Whether Docker made the name up, and nobody will miss it. */
export function isAnonymousName(name: string): boolean {
  return ANONYMOUS.test(name)
}

/** In quotes, with control characters made visible, and no longer than a line. */
function quoted(name: string): string {
  const isLong = name.length > SHOWN
  return JSON.stringify(isLong ? `${name.slice(0, SHOWN)}…` : name)
}
