import { messageOf } from '../base/errors.ts'
import { parseVolumeOptions, type VolumeOptions } from './volume-options.ts'

/** What a store writes down about a volume, whatever the store. */
export interface VolumeRecord {
  readonly name: string
  readonly createdAt: string
  /** What it was asked to be. */
  readonly options: VolumeOptions
  /** The most bytes it may hold now; absent from records of older programs too. */
  readonly capacity?: number | undefined
  /**
   * The other name of a volume that gets a new one. Its record has both before its
   * directory has the new one; which of them is the volume's name, only the
   * directory says. A record that was read has an alias if it goes by two names still.
   */
  readonly alias?: string | undefined
}

/** Raised when the form changes in a way that older programs would misread. */
const FORMAT = 1

/** A record as it was written cannot be understood. */
export class DamagedRecordError extends Error {
  override readonly name = 'DamagedRecordError'
}

/**
 * Whether a record says anything at all. One that does not was cut or emptied by an
 * accident; one that says something wrong may have been meant.
 */
export function saysSomething(text: string): boolean {
  try {
    decoded(text)
    return true
  } catch (error) {
    if (error instanceof DamagedRecordError) return false
    throw error
  }
}

/** One record as JSON, for people too. */
export function formatRecord(record: VolumeRecord): string {
  const { options, alias, ...rest } = record
  const both = alias === undefined ? {} : { formerly: alias }
  const fields = { format: FORMAT, ...rest, ...both, options: options.typed }
  return `${JSON.stringify(fields, undefined, 2)}\n`
}

/**
 * Reads the record of the volume `name`, or of whichever it says where its place
 * does not tell.
 *
 * @throws DamagedRecordError that says what is wrong with it.
 */
export function parseRecord(text: string, place?: string): VolumeRecord {
  const fields = decoded(text)
  if (typeof fields.format === 'number' && fields.format > FORMAT) {
    throw new DamagedRecordError(
      `its record has format ${fields.format}, and this version reads up to ${FORMAT}`,
    )
  }
  if (fields.format !== FORMAT) throw damaged('format')
  const { createdAt, options, capacity, formerly } = fields
  const name = place ?? fields.name
  if (typeof name !== 'string') throw damaged('name')
  if (fields.name !== name && formerly !== name) throw damaged('name')
  if (typeof createdAt !== 'string' || Number.isNaN(Date.parse(createdAt))) {
    throw damaged('createdAt')
  }
  if (capacity !== undefined && !isSize(capacity)) throw damaged('capacity')
  if (!isStringMap(options)) throw damaged('options')
  try {
    const parsed = parseVolumeOptions(options)
    const bytes = capacity ?? parsed.capacity
    const limit = bytes === undefined ? {} : { capacity: bytes }
    const both = fields.name === name ? {} : { alias: String(fields.name) }
    return { name, createdAt, options: parsed, ...limit, ...both }
  } catch (error) {
    throw damaged('options', error)
  }
}

function decoded(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch (error) {
    throw new DamagedRecordError(
      `its record is not JSON: ${messageOf(error)}`,
      { cause: error },
    )
  }
  throw new DamagedRecordError('its record is not a JSON object')
}

function damaged(field: string, cause?: unknown): DamagedRecordError {
  const detail = cause === undefined ? 'wrong' : `wrong: ${messageOf(cause)}`
  return new DamagedRecordError(`the "${field}" in its record is ${detail}`, {
    cause,
  })
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isStringMap(value: unknown): value is Record<string, string> {
  return (
    isObject(value) &&
    Object.values(value).every((text) => typeof text === 'string')
  )
}
