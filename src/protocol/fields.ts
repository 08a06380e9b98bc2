import { InvalidArgumentError } from '../base/errors.ts'

/** What can be one segment of a path on any filesystem, and nothing else. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/

/**
 * Reads the fields of one request, each checked as it is read. An absent field
 * is an empty one, because Go's encoder leaves empty fields out or sends null.
 */
export class Fields {
  readonly #fields: Readonly<Record<string, unknown>>

  constructor(body: unknown) {
    const fields = body ?? {}
    if (!isRecord(fields)) {
      throw new InvalidArgumentError('The request must be a JSON object')
    }
    this.#fields = fields
  }

  /** The name or the id of what the request is about, if that is what it has. */
  get subject(): string {
    const value = this.#fields.Name ?? this.#fields.ID
    return typeof value === 'string' ? value : ''
  }

  string(field: string): string {
    const value = this.#fields[field] ?? ''
    if (typeof value === 'string') return value
    throw new InvalidArgumentError(`${field} must be a string`)
  }

  /**
   * A name that is also one path segment, so it cannot leave a directory. Never
   * empty: joined to a directory, an empty name is that directory.
   */
  name(field: string, limit = 255): string {
    const value = this.string(field)
    if (value === '') throw new InvalidArgumentError(`${field} is missing`)
    if (NAME.test(value) && value.length <= limit) return value
    throw new InvalidArgumentError(
      `${field} ${quoted(value)} is not valid: it must be at most ${limit} letters, digits, "_", "." and "-", and begin with a letter or a digit`,
    )
  }

  nameOrNone(field: string, limit?: number): string {
    return this.string(field) === '' ? '' : this.name(field, limit)
  }

  absolutePath(field: string): string {
    const value = this.string(field)
    if (value.startsWith('/') && !value.includes('\0')) return value
    throw new InvalidArgumentError(
      `${field} ${quoted(value)} is not an absolute path`,
    )
  }

  strings(field: string): readonly string[] {
    const value = this.#fields[field] ?? []
    if (Array.isArray(value) && value.every(isString)) return value
    throw new InvalidArgumentError(`${field} must be a list of strings`)
  }

  stringMap(field: string): Readonly<Record<string, string>> {
    const value = this.#fields[field] ?? {}
    if (isRecord(value) && hasStringValues(value)) return value
    throw new InvalidArgumentError(`${field} must map strings to strings`)
  }

  /** A list of objects, each to be read as fields in its turn. */
  list(field: string): readonly Fields[] {
    const value = this.#fields[field] ?? []
    if (Array.isArray(value)) return value.map((item) => new Fields(item))
    throw new InvalidArgumentError(`${field} must be a list`)
  }

  /** A whole number that is not negative. */
  count(field: string): number {
    const value = this.#fields[field] ?? 0
    if (
      typeof value === 'number' &&
      Number.isSafeInteger(value) &&
      value >= 0
    ) {
      return value
    }
    throw new InvalidArgumentError(`${field} must be a whole number`)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasStringValues(
  record: Record<string, unknown>,
): record is Record<string, string> {
  return Object.values(record).every(isString)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

/** In quotes, control characters visible, and no longer than a line. */
function quoted(value: string): string {
  const short = value.length > 60 ? `${value.slice(0, 60)}…` : value
  return JSON.stringify(short)
}
