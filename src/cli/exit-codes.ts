import {
  InvalidArgumentError,
  StowageError,
  type ErrorKind,
} from '../base/errors.ts'
import type { ErrorCode } from '../admin/contract/failure.ts'
import { AdminFailure } from './admin-failure.ts'

/** What the command ends with. Scripts may rely on it. */
export const EXIT_CODES = {
  done: [0, 'It is done'],
  failed: [1, 'It failed; the message says why'],
  usage: [2, 'The command line, a name or a value is not valid'],
  notFound: [3, 'There is no such volume, snapshot, store or layer'],
  alreadyExists: [4, 'The name is taken'],
  inUse: [5, 'Somebody uses it, or it is protected'],
  notSupported: [6, 'It cannot be done there; the message says why'],
  unavailable: [7, 'The daemon or a store cannot be reached now'],
  unhealthy: [8, 'The doctor or a check has found something wrong'],
  interrupted: [130, 'It was interrupted, and nothing half done was left'],
} as const satisfies Record<string, readonly [number, string]>

const CODES: Readonly<Record<ErrorKind | ErrorCode, keyof typeof EXIT_CODES>> =
  {
    'already-exists': 'alreadyExists',
    'in-use': 'inUse',
    'invalid-argument': 'usage',
    'not-found': 'notFound',
    'not-supported': 'notSupported',
    unavailable: 'unavailable',
    'unknown-endpoint': 'notSupported',
    cancelled: 'interrupted',
    internal: 'failed',
  }

export function exitCode(name: keyof typeof EXIT_CODES): number {
  return EXIT_CODES[name][0]
}

/** What a command ends with that failed with `error`. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof AdminFailure) return exitCode(CODES[error.failure.code])
  if (error instanceof InvalidArgumentError) return exitCode('usage')
  if (error instanceof StowageError) return exitCode(CODES[error.kind])
  return exitCode('failed')
}
