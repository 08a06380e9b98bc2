import type { Socket } from 'node:net'
import express, { type Express, type RequestHandler } from 'express'
import { ended } from '../base/ended.ts'
import type { Log } from '../base/log.ts'
import { nextRequestId, withRequestId } from '../base/request-id.ts'
import { replyWithError } from './reply.ts'
import { answer, type Methods, sendJson } from './rpc.ts'

/** What answers the methods of one interface. */
export type Routes = Pick<Methods, 'get'>

/** One of Docker's plugin interfaces, and the methods that answer it. */
export interface PluginInterface {
  /** As `Plugin.Activate` names it. */
  readonly name: 'VolumeDriver' | 'GraphDriver'
  /** Those who call earlier wait until it is there. */
  readonly routes: Routes | Promise<Routes>
}

/** One call of Docker's, when it has been answered. */
export interface ObservedCall {
  readonly method: string
  /** The name or id of what it was about; empty if it was about nothing. */
  readonly subject: string
  /** What was thrown, if anything was. */
  readonly failure: unknown
  readonly milliseconds: number
  readonly request: string
  readonly socket: Socket
}

export type CallObserver = (call: ObservedCall) => void

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
  observe: CallObserver = () => undefined,
): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')

  // One layer for all of it: Express spends on each as much as a small call needs.
  app.use(asRequest(answered(interfaces), log, observe))
  app.use(replyWithError(log))
  return app
}

/** What is left in the answer to be told when it has ended. */
interface Outcome {
  readonly subject?: string
  readonly failure?: unknown
}

/** Hands a call to what answers its method; one interface keeps no other waiting. */
function answered(interfaces: readonly PluginInterface[]): RequestHandler {
  const plugin: Methods = new Map()
  answer(plugin, 'Plugin.Activate', async () => ({
    Implements: interfaces.map(({ name }) => name),
  }))
  const routesOf = new Map<string, Routes | Promise<Routes>>([
    ['Plugin', plugin],
    ...interfaces.map(({ name, routes }) => [name, routes] as const),
  ])
  for (const { name, routes } of interfaces) {
    if (!(routes instanceof Promise)) continue
    void ended(routes.then((there) => routesOf.set(name, there)))
  }
  return (request, response, next) => {
    const method = request.path.slice(1)
    const routes = routesOf.get(method.slice(0, method.indexOf('.')))
    const reply = (there: Routes | undefined): unknown =>
      (there?.get(method) ?? unknownMethod)(request, response, next)
    if (request.method !== 'POST') return notAllowed(request, response, next)
    return routes instanceof Promise ? routes.then(reply) : reply(routes)
  }
}

/**
 * Gives each request an id, which all log lines written for it carry, also by whoever
 * answers for a failure.
 */
function asRequest(
  reply: RequestHandler,
  log: Log,
  observe: CallObserver,
): RequestHandler {
  return (request, response, fail) => {
    const began = performance.now()
    const id = nextRequestId()
    const told = (): void => {
      const method = request.path.slice(1)
      const milliseconds = performance.now() - began
      log.debug('Request ended', {
        method,
        status: response.statusCode,
        whole: response.writableFinished,
        milliseconds: Math.round(milliseconds),
      })
      const { socket } = request
      // Whoever makes names up does not make metrics up.
      if (response.statusCode === 404) return
      const { subject = '', failure }: Outcome = response.locals
      observe({ method, subject, failure, milliseconds, request: id, socket })
    }
    response.once('close', () => withRequestId(id, told))
    withRequestId(id, () => {
      const answering: unknown = reply(request, response, fail)
      if (answering instanceof Promise) answering.catch(fail)
    })
  }
}

const notAllowed: RequestHandler = (request, response) => {
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
