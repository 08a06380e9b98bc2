import { randomInt } from 'node:crypto'
import express, {
  type Express,
  type RequestHandler,
  type Router,
} from 'express'
import type { Log } from '../base/log.ts'
import { withRequestId } from '../base/request-id.ts'
import { replyWithError } from './reply.ts'
import { answer, sendJson } from './rpc.ts'

/** What answers the methods of one interface. */
export type Routes = Router

/** One of Docker's plugin interfaces, and the methods that answer it. */
export interface PluginInterface {
  /** As `Plugin.Activate` names it. */
  readonly name: 'VolumeDriver' | 'GraphDriver'
  /** Those who call earlier wait until it is there. */
  readonly routes: Routes | Promise<Routes>
}

/**
 * The plugin as Docker talks to it: any of the two interfaces behind one socket.
 *
 * Nothing here is clever about HTTP. Docker's client wants exactly 200 and JSON,
 * knows no redirects and no conditional requests, and shows an HTML page to its
 * user as it is.
 */
export function createApp(
  interfaces: readonly PluginInterface[],
  log: Log,
): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('strict routing')
  app.enable('case sensitive routing')

  app.use(asRequest(log), onlyPost)
  answer(app, 'Plugin.Activate', async () => ({
    Implements: interfaces.map(({ name }) => name),
  }))
  for (const one of interfaces) app.use(routesOf(one))
  app.use(unknownMethod)
  app.use(replyWithError(log))
  return app
}

/** Sends an interface what is meant for it, and keeps nobody else waiting. */
function routesOf({ name, routes }: PluginInterface): RequestHandler {
  return async (request, response, next) => {
    if (request.path.startsWith(`/${name}.`)) {
      const router = await routes
      router(request, response, next)
    } else {
      next()
    }
  }
}

/** Gives each request an id, which all log lines written for it carry. */
function asRequest(log: Log): RequestHandler {
  return (request, response, next) => {
    const began = performance.now()
    const ended = (): void => {
      log.debug('Request ended', {
        method: request.path.slice(1),
        status: response.statusCode,
        whole: response.writableFinished,
        milliseconds: Math.round(performance.now() - began),
      })
    }
    const id = nextId()
    response.once('close', () => withRequestId(id, ended))
    withRequestId(id, next)
  }
}

/** Ids count from a random start, so that those of two daemons rarely meet. */
let count = randomInt(2 ** 32)

function nextId(): string {
  count = (count + 1) >>> 0
  return count.toString(16).padStart(8, '0')
}

const onlyPost: RequestHandler = (request, response, next) => {
  if (request.method === 'POST') {
    next()
    return
  }
  response.set('Allow', 'POST')
  const message = `Method ${request.method} is not allowed: use POST`
  sendJson(response, 405, { Err: message })
}

/** The one 404 there is, for Docker reads it as "this plugin lacks the method". */
const unknownMethod: RequestHandler = (request, response) => {
  const method = JSON.stringify(request.path.slice(1))
  const message = `Method ${method} is not known to this plugin`
  sendJson(response, 404, { Err: message })
}
