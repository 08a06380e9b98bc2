import { errorOfKind, StowageError } from './errors.ts'

/** An error on its way between threads or processes, which would lose its class and fields. */
export interface Failure {
  readonly name: string
  readonly message: string
  /** Of a `StowageError`; else empty. */
  readonly kind: string
  readonly stack: string | undefined
  readonly fields: object
}

export function packed(error: Error): Failure {
  const { name, message, stack } = error
  const kind = error instanceof StowageError ? error.kind : ''
  return { name, message, kind, stack, fields: Object.assign({}, error) }
}

/** Classes by their names, for errors to be of again. */
export type ErrorClasses = Readonly<Record<string, { prototype: Error }>>

/**
 * The error that was packed, of the same kind and with the same fields; of the same
 * class too if that is one of `classes`.
 */
export function revived(
  { name, message, kind, stack, fields }: Failure,
  classes: ErrorClasses = {},
): Error {
  const error = Object.assign(errorOfKind(kind, message), fields, { stack })
  const own = classes[name]
  if (own !== undefined) Object.setPrototypeOf(error, own.prototype)
  return error
}
