import {
  asError,
  type ErrorKind,
  isErrno,
  messageOf,
  StowageError,
} from '../base/errors.ts'
import { VolumeInUseError } from '../volume/volume-errors.ts'
import type { ErrorCode, Failure } from './contract/failure.ts'

/** No endpoint has that method and path. */
export class UnknownEndpointError extends Error {
  override readonly name = 'UnknownEndpointError'
}

/** `error` as the API tells it to whoever made the request `request`. */
export function failureOf(error: unknown, request: string): Failure {
  if (isAbort(error)) {
    return {
      code: 'cancelled',
      message: 'It was cancelled',
      causes: [],
      request,
    }
  }
  const hint = hintFor(error)
  return {
    code: codeOf(error),
    message: messageOf(error),
    causes: causesOf(error),
    ...(hint === undefined ? {} : { hint }),
    ...(error instanceof VolumeInUseError
      ? { holders: [...error.holders] }
      : {}),
    request,
  }
}

export function codeOf(error: unknown): ErrorCode {
  if (error instanceof StowageError) return error.kind
  if (error instanceof UnknownEndpointError) return 'unknown-endpoint'
  if (isAbort(error)) return 'cancelled'
  return isMalformed(error) ? 'invalid-argument' : 'internal'
}

function isAbort(error: unknown): boolean {
  return asError(error).name === 'AbortError'
}

/** What is thrown for a body that is no JSON, or too long: see body-parser. */
function isMalformed(error: unknown): boolean {
  const status: unknown =
    error instanceof Error ? Reflect.get(error, 'status') : undefined
  return typeof status === 'number' && status >= 400 && status < 500
}

/** What lies behind it, without saying anything twice. */
function causesOf(error: unknown): string[] {
  const causes: string[] = []
  let cause = error instanceof Error ? error.cause : undefined
  while (cause !== undefined && causes.length < 8) {
    const message = messageOf(cause)
    const before = causes.at(-1) ?? messageOf(error)
    if (!before.includes(message)) causes.push(message)
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return causes
}

const HINTS: Readonly<Partial<Record<ErrorKind, string>>> = {
  unavailable: 'See what is wrong, and what to do, with "stowage doctor"',
  'not-supported': 'See what each store can do with "stowage store ls --json"',
}

function hintFor(error: unknown): string | undefined {
  if (error instanceof VolumeInUseError) {
    return 'See which containers hold it with "stowage volume inspect", and stop them first'
  }
  if (error instanceof StowageError) return HINTS[error.kind]
  if (error instanceof UnknownEndpointError) {
    return 'The command and the daemon may be of different versions: see "stowage --version"'
  }
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) {
    return 'Make room: "stowage trash empty" deletes what was removed'
  }
  return undefined
}
