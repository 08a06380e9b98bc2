import express, { type Response, Router } from 'express'
import type { ChangeEvent } from '../operations/change-event.ts'
import { checkedRequest } from './checked-request.ts'
import type { Endpoint } from './contract/endpoint.ts'
import type { Call, Handler, Handlers } from './handler.ts'
import type { AnsweredCall } from './daemon-metrics.ts'
import { recorded } from './recorded.ts'
import { reply } from './reply.ts'

export interface FrontOptions {
  /** Aborted when the daemon ends: whoever follows something is let go then. */
  readonly closing: AbortSignal
  /** Writes down what was changed, before it is answered. */
  readonly record: (event: ChangeEvent) => Promise<void>
  /** Is told of each call when it has been answered. */
  readonly observe: (call: AnsweredCall) => void
}

/** Endpoints with their handlers, as routes. */
export type Front = (options: FrontOptions) => Router

/** The rows of `table`, each answered by its handler. */
export function front<T extends Readonly<Record<string, Endpoint>>>(
  table: T,
  handlers: Handlers<T>,
): Front {
  return (options) => {
    const router = Router()
    for (const operation in table) {
      const row = {
        operation,
        endpoint: table[operation],
        handle: handlers[operation],
      }
      mount(router, row, options)
    }
    return router
  }
}

interface Row<E extends Endpoint> {
  readonly operation: string
  readonly endpoint: E
  readonly handle: Handler<E>
}

function mount<E extends Endpoint>(
  router: Router,
  { operation, endpoint, handle }: Row<E>,
  { closing, record, observe }: FrontOptions,
): void {
  const { method, path, body, changes } = endpoint
  const route = router.route(path.replaceAll(/\{(\w+)\}/g, ':$1'))
  const verb = METHODS[method]
  // A body that is streamed is its handler's to read.
  if (typeof body !== 'string') route[verb](JSON_BODY)
  route[verb](async (request, response) => {
    const began = performance.now()
    response.once('close', () => {
      const isGood = response.writableFinished && response.statusCode < 400
      const milliseconds = performance.now() - began
      observe({ name: operation, isGood, milliseconds })
    })
    const work = async (): Promise<unknown> =>
      handle(
        checkedRequest(endpoint, request),
        callOf(response, endpoint, closing),
      )
    const answer = changes
      ? await recorded(operation, request, { work, record })
      : await work()
    await reply(response, endpoint, answer)
  })
}

const METHODS = {
  GET: 'get',
  POST: 'post',
  PUT: 'put',
  PATCH: 'patch',
  DELETE: 'delete',
} as const

/**
 * Whatever the request claims to be: there is only JSON here, and never much of it.
 * So much is parsed and checked in a few milliseconds, whatever it says.
 */
const JSON_BODY = express.json({
  type: () => true,
  limit: '64kb',
  strict: false,
})

function callOf(
  response: Response,
  { answer }: Endpoint,
  closing: AbortSignal,
): Call {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  // Who follows something never ends by itself; what else goes on may finish.
  const isEndless = answer.kind === 'lines'
  return {
    signal: isEndless ? AbortSignal.any([gone.signal, closing]) : gone.signal,
    header: (name, value) => {
      response.setHeader(name, value)
    },
  }
}
