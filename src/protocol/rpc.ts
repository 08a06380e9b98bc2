import express, { type RequestHandler, type Router } from 'express'
import { InvalidArgumentError, messageOf } from '../base/errors.ts'
import { Fields } from './fields.ts'

export const MEDIA_TYPE = 'application/vnd.docker.plugins.v1.2+json'

/** Volume options are the only thing in a request that may grow. */
const BODY_LIMIT = '16mb'

/** Docker sends no Content-Type, so this parser does not look for one. */
const parse = express.json({
  type: () => true,
  strict: false,
  limit: BODY_LIMIT,
})

/** Reads a JSON body, whatever it claims to be. */
export const jsonBody: RequestHandler = (request, response, next) => {
  parse(request, response, (error: unknown) => {
    if (error === undefined) next()
    else next(refusal(error))
  })
}

/** What a method answers: the fields of its reply, none for want of a result. */
export type Handle = (request: Fields) => Promise<object | void>

/** Answers `POST /<method>`: JSON in, JSON out. */
export function answer(router: Router, method: string, handle: Handle): void {
  router.post(`/${method}`, jsonBody, replyOf(handle))
}

/**
 * Like `answer`, but a failure of any kind cuts the connection.
 *
 * Docker takes every answer but a lost one for the truth: an error in reply to
 * `VolumeDriver.Get` makes it forget the volume's labels and options for good. A
 * cut connection makes it ask again later. The repeated call has an empty body,
 * because Docker's client has drained its buffer by then, so an empty body must
 * not get an answer either.
 */
export function answerOrHangUp(
  router: Router,
  method: string,
  handle: Handle,
): void {
  router.post(`/${method}`, hangUpOnFailure, jsonBody, replyOf(handle))
}

const hangUpOnFailure: RequestHandler = (_request, response, next) => {
  response.locals.hangUp = true
  next()
}

function replyOf(handle: Handle): RequestHandler {
  return async (request, response) => {
    const result = await handle(new Fields(request.body))
    response.type(MEDIA_TYPE).json(result ?? {})
  }
}

/** The parser's complaint in words for somebody who typed `docker volume create`. */
function refusal(error: unknown): InvalidArgumentError {
  return new InvalidArgumentError(
    `Cannot read the request: ${messageOf(error)}`,
    { cause: error },
  )
}
