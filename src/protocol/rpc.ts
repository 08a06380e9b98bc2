import { pipeline } from 'node:stream/promises'
import type { RequestHandler, Response } from 'express'
import { jsonAnswer } from '../base/json-answer.ts'
import { Fields } from './fields.ts'
import { readJson } from './json-body.ts'

export const MEDIA_TYPE = 'application/vnd.docker.plugins.v1.2+json'

/**
 * What a method answers: the fields of its reply, none for want of a result. One that
 * can be iterated is a list, written while it is iterated: what fails after the first
 * bytes cuts the connection, and a reader who walks away ends the iteration.
 */
export type Handle = (request: Fields) => Promise<object | void>

/** What answers each method: Docker's are a dozen, and looked up by their names. */
export type Methods = Map<string, RequestHandler>

/** Answers `POST /<method>`: JSON in, JSON out. */
export function answer(methods: Methods, method: string, handle: Handle): void {
  methods.set(method, replyOf(handle))
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
  methods: Methods,
  method: string,
  handle: Handle,
): void {
  const reply = replyOf(handle)
  methods.set(method, (request, response, next) => {
    response.locals.hangUp = true
    return reply(request, response, next)
  })
}

/**
 * Answers with `value` and ends. The length is told, so that head and body leave in
 * one piece and Docker's client need not look for an end.
 */
export function sendJson(
  response: Response,
  status: number,
  value: object,
): void {
  sendText(response, status, JSON.stringify(value))
}

function sendText(response: Response, status: number, text: string): void {
  const length = Buffer.byteLength(text)
  response
    .writeHead(status, { 'Content-Type': MEDIA_TYPE, 'Content-Length': length })
    .end(text)
}

function replyOf(handle: Handle): RequestHandler {
  return async (request, response) => {
    const fields = new Fields(await readJson(request))
    response.locals.subject = fields.subject
    const json = jsonAnswer((await handle(fields)) ?? {})
    const answered = typeof json === 'string' ? json : await json
    if (typeof answered === 'string') sendText(response, 200, answered)
    else await pipeline(answered, response.type(MEDIA_TYPE))
  }
}
