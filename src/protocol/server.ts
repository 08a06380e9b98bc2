import { once } from 'node:events'
import * as http from 'node:http'
import * as net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Messages } from './messages.ts'

/** How many may wait to be taken, as in the socket unit. */
const BACKLOG = 1024

/** How long a call may be on its way from a connection that was made in time. */
const GRACE = 50

/**
 * An HTTP server that never closes a connection of its own accord, until it is
 * drained.
 *
 * Docker keeps two idle connections for ever. A server that drops one just when
 * Docker uses it again loses the request, and Docker repeats it with an empty
 * body. Uploads of layers take as long as they take.
 */
export class Server {
  readonly #http: http.Server
  /** How many calls are in progress on each connection. */
  readonly #connections = new Map<net.Socket, number>()
  readonly #answers = new Set<http.ServerResponse>()
  #draining = false

  /** @param messages What the listener would have requests and responses be. */
  constructor(listener: http.RequestListener, messages?: Messages) {
    this.#http = http.createServer({
      ...messages,
      requireHostHeader: false,
      keepAliveTimeout: 0,
      requestTimeout: 0,
      headersTimeout: 0,
    })
    this.#http.timeout = 0
    this.#http.maxRequestsPerSocket = 0
    this.#http.on('connection', (socket) => {
      this.#connections.set(socket, 0)
      socket.once('close', () => this.#connections.delete(socket))
    })
    this.#http.on('request', (request, response) => {
      this.#begin(request.socket, response)
      response.once('close', () => this.#end(request.socket, response))
      listener(request, response)
    })
  }

  /** Takes calls from the socket behind `descriptor`. */
  async listen(descriptor: number): Promise<void> {
    this.#http.listen({ fd: descriptor, backlog: BACKLOG })
    await once(this.#http, 'listening')
  }

  /**
   * Takes no new connection, lets what goes on come to its end, and closes every
   * connection then. After `limit` milliseconds it cuts what is left, and answers
   * how many calls that were.
   */
  async drain(limit: number): Promise<number> {
    this.#draining = true
    for (const answer of this.#answers) announceEnd(answer)
    // Those who have connected already are taken from the queue first.
    await sleep(GRACE)

    let cut = 0
    const deadline = setTimeout(() => {
      cut = this.#answers.size
      this.#http.closeAllConnections()
    }, limit)
    await new Promise((closed) => {
      // Not http's own close: it cuts answers that are not yet sent to their end.
      net.Server.prototype.close.call(this.#http, closed)
      for (const [socket, calls] of this.#connections) {
        if (calls === 0) socket.end()
      }
    })
    clearTimeout(deadline)
    return cut
  }

  /** Cuts every connection, and takes no other. */
  close(): void {
    this.#http.close()
    this.#http.closeAllConnections()
  }

  #begin(socket: net.Socket, answer: http.ServerResponse): void {
    this.#connections.set(socket, this.#callsOn(socket) + 1)
    this.#answers.add(answer)
    if (this.#draining) announceEnd(answer)
  }

  #end(socket: net.Socket, answer: http.ServerResponse): void {
    this.#answers.delete(answer)
    if (socket.destroyed) return
    const calls = this.#callsOn(socket) - 1
    this.#connections.set(socket, calls)
    if (this.#draining && calls === 0) socket.end()
  }

  #callsOn(socket: net.Socket): number {
    return this.#connections.get(socket) ?? 0
  }
}

/** Tells the client not to send its next call on this connection. */
function announceEnd(answer: http.ServerResponse): void {
  if (!answer.headersSent) answer.setHeader('Connection', 'close')
}
