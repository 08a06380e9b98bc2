import type { ErrorRequestHandler } from 'express'
import { isErrno, messageOf, StowageError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { sendJson } from './rpc.ts'

/**
 * Turns whatever a route threw into the answer that Docker understands, and is
 * the one place that logs it.
 *
 * The status says little on purpose. Docker shows `Err` to the user for every
 * status but 200, and reads 404 as "the plugin lacks this method", so a missing
 * layer must never be a 404.
 */
export function replyWithError(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    logFailure(log, request.path.slice(1), error)
    response.locals.failure = error
    if (response.headersSent || response.locals.hangUp === true) {
      response.destroy()
      return
    }
    const status = isBadRequest(error) ? 400 : 500
    sendJson(response, status, { Err: messageOf(error) })
  }
}

function logFailure(log: Log, method: string, error: unknown): void {
  if (isErrno(error, 'ERR_STREAM_PREMATURE_CLOSE')) {
    log.info('Reader gone before the end', { method })
  } else if (error instanceof StowageError) {
    log.info('Request refused', { method, error })
  } else {
    log.error('Request failed', { method, error })
  }
}

function isBadRequest(error: unknown): boolean {
  return error instanceof StowageError && error.kind === 'invalid-argument'
}
