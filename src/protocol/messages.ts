import { IncomingMessage, ServerResponse } from 'node:http'
import express, { type Express } from 'express'

/** What the requests and responses of a server are. */
export interface Messages {
  readonly IncomingMessage: typeof IncomingMessage
  readonly ServerResponse: typeof ServerResponse
}

/**
 * Requests and responses for a server that has nobody but `app` behind it.
 *
 * Express gives each of them another prototype, and V8 forgets all that it had
 * learned of such objects: more than half of what a small call took. These have
 * that prototype from birth, so Express has nothing to change.
 */
export function messagesFor(app: Express): Messages {
  class Request extends IncomingMessage {}
  class Response<R extends IncomingMessage> extends ServerResponse<R> {}
  // Copied, not inherited: V8 looks into long chains of prototypes less well.
  extend(Request.prototype, express.request, app)
  extend(Response.prototype, express.response, app)
  Object.assign(app, {
    request: Request.prototype,
    response: Response.prototype,
  })
  return { IncomingMessage: Request, ServerResponse: Response }
}

function extend(prototype: object, methods: object, app: Express): void {
  const descriptors = Object.getOwnPropertyDescriptors(methods)
  Object.defineProperties(prototype, { ...descriptors, app: { value: app } })
}
