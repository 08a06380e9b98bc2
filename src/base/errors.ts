/**
 * The kinds of failure a caller may want to tell apart. Everything else is a
 * defect or the machine's own trouble, and travels as the error it already is.
 */
export type ErrorKind =
  | 'already-exists'
  | 'in-use'
  | 'invalid-argument'
  | 'not-found'
  | 'not-supported'
  | 'unavailable'

/** A failure with a kind. Thrown anywhere; answered once, in a front's `reply.ts`. */
export abstract class StowageError extends Error {
  abstract readonly kind: ErrorKind

  override get name(): string {
    return this.constructor.name
  }
}

export class AlreadyExistsError extends StowageError {
  readonly kind = 'already-exists'
}

export class InUseError extends StowageError {
  readonly kind = 'in-use'
}

export class InvalidArgumentError extends StowageError {
  readonly kind = 'invalid-argument'
}

export class NotFoundError extends StowageError {
  readonly kind = 'not-found'
}

/** A driver or store cannot do this here; the message says why. */
export class NotSupportedError extends StowageError {
  readonly kind = 'not-supported'
}

/**
 * The truth is out of reach for now: a store is down, or the catalogue is not
 * loaded yet. Nobody may conclude from it that the thing does not exist.
 */
export class UnavailableError extends StowageError {
  readonly kind = 'unavailable'
}

const CLASSES: Readonly<
  Record<ErrorKind, new (message: string) => StowageError>
> = {
  'already-exists': AlreadyExistsError,
  'in-use': InUseError,
  'invalid-argument': InvalidArgumentError,
  'not-found': NotFoundError,
  'not-supported': NotSupportedError,
  unavailable: UnavailableError,
}

/** A failure whose kind is known by its name only, because it came from afar. */
export function errorOfKind(kind: string, message: string): Error {
  for (const [name, kindOfError] of Object.entries(CLASSES)) {
    if (name === kind) return new kindOfError(message)
  }
  return new Error(message)
}

/** Whether `error` is one of the system errors `codes`, such as `'ENOENT'`. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    codes.includes(String(error.code))
  )
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Whatever was thrown, as an error. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
