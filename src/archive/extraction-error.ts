import { InvalidArgumentError, messageOf } from '../base/errors.ts'
import { describePath } from './path-bytes.ts'

/**
 * `error` with the name of the entry that it met. A system error keeps its `code`,
 * so that a full disk still is one.
 */
export function extractionError(name: Buffer, error: unknown): Error {
  const path = describePath(name)
  const message = messageOf(error)
  if (message.includes(path)) {
    return error instanceof Error ? error : new Error(message)
  }
  const text = `Cannot extract ${path}: ${message}`
  if (error instanceof InvalidArgumentError) {
    return new InvalidArgumentError(text, { cause: error })
  }
  return Object.assign(new Error(text, { cause: error }), error)
}
