import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ErrorRequestHandler, Response } from 'express'
import { isErrno, StowageError } from '../base/errors.ts'
import { jsonAnswer } from '../base/json-answer.ts'
import type { Log } from '../base/log.ts'
import { isTurnOver, nextTurn } from '../base/next-turn.ts'
import { currentRequestId } from '../base/request-id.ts'
import type { Endpoint } from './contract/endpoint.ts'
import { STATUS_OF } from './contract/failure.ts'
import { codeOf, failureOf } from './failure-of.ts'

/** Sends what a handler has answered, in the form that its endpoint has. */
export async function reply(
  response: Response,
  { answer, status = 200 }: Endpoint,
  value: unknown,
): Promise<void> {
  response.status(status)
  switch (answer.kind) {
    case 'nothing':
      response.end()
      return
    case 'json':
      await sendJson(response, value)
      return
    case 'lines':
      response.type('application/x-ndjson')
      await stream(response, jsonLines(value))
      return
    case 'bytes':
      response.type(answer.mediaType)
      await stream(response, value)
  }
}

/**
 * Turns whatever was thrown into the answer of a failure, and is the one place that
 * logs it. After the first byte there is no answer left but to cut the connection:
 * what is short must not look whole.
 */
export function replyWithError(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const code = codeOf(error)
    const operation = `${request.method} ${request.path}`
    if (isErrno(error, 'ERR_STREAM_PREMATURE_CLOSE')) {
      log.info('Reader gone before the end', { operation })
    } else if (error instanceof StowageError || code !== 'internal') {
      log.info('Request refused', { operation, error })
    } else {
      log.error('Request failed', { operation, error })
    }
    if (response.headersSent) {
      response.destroy()
      return
    }
    // Whoever is still sending hears the answer only if nobody hangs up on it.
    if (!request.complete) {
      response.setHeader('Connection', 'keep-alive')
      request.resume()
    }
    const failure = failureOf(error, currentRequestId() ?? '')
    response.status(STATUS_OF[code]).json({ error: failure })
  }
}

async function sendJson(response: Response, value: unknown): Promise<void> {
  if (typeof value !== 'object' || value === null)
    throw new Error('There is nothing to answer')
  const json = await jsonAnswer(value)
  response.type('json')
  if (typeof json === 'string') response.end(json)
  else await pipeline(json, response)
}

/** The head leaves at once, so that a reader knows that there is something to wait for. */
async function stream(response: Response, value: unknown): Promise<void> {
  if (!(value instanceof Readable))
    throw new Error('There is nothing to stream')
  response.flushHeaders()
  // A pipeline alone listens to most of what ten listeners are allowed.
  response.setMaxListeners(20)
  await pipeline(value, response)
}

function jsonLines(values: unknown): Readable {
  if (!isAsyncIterable(values)) throw new Error('There are no lines to stream')
  return Readable.from(linesOf(values))
}

async function* linesOf(
  values: AsyncIterable<unknown>,
): AsyncGenerator<string> {
  for await (const value of values) {
    yield `${JSON.stringify(value)}\n`
    if (isTurnOver()) await nextTurn()
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === 'object' && value !== null && Symbol.asyncIterator in value
  )
}
