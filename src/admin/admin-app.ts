import express, { type Express, type RequestHandler } from 'express'
import type { Log } from '../base/log.ts'
import { nextRequestId, withRequestId } from '../base/request-id.ts'
import { UnknownEndpointError } from './failure-of.ts'
import type { Front, FrontOptions } from './front.ts'
import { replyWithError } from './reply.ts'

/** Carries the id of a request in its answer. */
const REQUEST_HEADER = 'stowage-request'

export interface AdminAppOptions extends FrontOptions {
  readonly log: Log
}

/** The administrator's API as Express serves it. */
export function createAdminApp(
  fronts: readonly (Front | Promise<Front>)[],
  options: AdminAppOptions,
): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('strict routing')
  app.enable('case sensitive routing')
  app.use(asRequest(options.log))
  for (const front of fronts) app.use(routesOf(front, options))
  app.use((request) => {
    throw new UnknownEndpointError(
      `There is no ${request.method} ${request.path} in this API`,
    )
  })
  app.use(replyWithError(options.log))
  return app
}

/** Those who call what is not open yet wait for it, and for nothing that comes later. */
function routesOf(
  front: Front | Promise<Front>,
  options: AdminAppOptions,
): RequestHandler {
  if (typeof front === 'function') return front(options)
  const opened = opening(front, options)
  return async (request, response, next) => {
    const routes = await opened
    routes(request, response, next)
  }
}

async function opening(
  front: Promise<Front>,
  options: AdminAppOptions,
): Promise<RequestHandler> {
  return (await front)(options)
}

/** Gives each request an id, which its answer and all log lines written for it carry. */
function asRequest(log: Log): RequestHandler {
  return (request, response, next) => {
    const began = performance.now()
    const id = nextRequestId()
    response.setHeader(REQUEST_HEADER, id)
    const ended = (): void => {
      log.debug('Request ended', {
        operation: `${request.method} ${request.path}`,
        status: response.statusCode,
        whole: response.writableFinished,
        milliseconds: Math.round(performance.now() - began),
      })
    }
    response.once('close', () => withRequestId(id, ended))
    withRequestId(id, next)
  }
}
