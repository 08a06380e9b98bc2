import { once } from 'node:events'
import * as http from 'node:http'
import * as net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { isTurnOver, nextTurn } from '../base/next-turn.ts'
import { hearNoMore } from '../linux/hear-no-more.ts'
import { BACKLOG, hasCallers } from '../linux/unix-socket.ts'
import type { Messages } from './messages.ts'

/** How long the first call may be on its way from a connection that was made in time. */
const GRACE = 1000

/** How often it is looked whether they have all come. */
const TURN = 10

/** A connection as the server sees it. */
interface Connection {
  /** How many calls are in progress. */
  calls: number
  /** How many of them wait for a turn of the event loop. */
  waiting: number
  /** Whether none was ever made. */
  isFresh: boolean
}

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
  readonly #connections = new Map<net.Socket, Connection>()
  readonly #answers = new Set<http.ServerResponse>()
  #descriptor = -1
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
      this.#connections.set(socket, { calls: 0, waiting: 0, isFresh: true })
      socket.once('close', () => this.#connections.delete(socket))
    })
    this.#http.on('request', (request, response) => {
      const connection = this.#connections.get(request.socket)
      const mustWait = connection !== undefined && isHeldBack(connection)
      this.#begin(request.socket, response)
      response.once('close', () => this.#end(request.socket, response))
      const answer = (): void => listener(request, response)
      if (mustWait) void answerLater(connection, answer)
      else answer()
    })
  }

  /** Takes calls from the socket behind `descriptor`. */
  async listen(descriptor: number): Promise<void> {
    this.#descriptor = descriptor
    this.#http.listen({ fd: descriptor, backlog: BACKLOG })
    await once(this.#http, 'listening')
  }

  /**
   * Takes no new connection, lets what goes on come to its end, and closes every
   * connection then. A call is answered, or its sender learns that it was not taken:
   * Go sends it again, whole, to whoever listens next. After `limit` milliseconds it
   * cuts what is left, and answers how many calls that were.
   */
  async drain(limit: number): Promise<number> {
    this.#draining = true
    for (const answer of this.#answers) announceEnd(answer)
    await this.#takeCallers()

    let cut = 0
    const deadline = setTimeout(() => {
      cut = this.#answers.size
      this.#http.closeAllConnections()
    }, limit)
    await new Promise((closed) => {
      // Not http's own close: it cuts answers that are not yet sent to their end.
      net.Server.prototype.close.call(this.#http, closed)
      for (const [socket, { calls }] of this.#connections) {
        if (calls === 0) this.#hearOut(socket)
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

  /** Waits for those who have connected already: they did so to call. */
  async #takeCallers(): Promise<void> {
    const latest = Date.now() + GRACE
    do {
      await sleep(TURN)
      const fresh = [...this.#connections.values()].some((one) => one.isFresh)
      if (!fresh && !hasCallers(this.#descriptor)) return
    } while (Date.now() < latest)
  }

  /** Takes the calls that are on their way on an idle connection, and none after them. */
  #hearOut(socket: net.Socket): void {
    const endIfIdle = (): void => {
      if (this.#connections.get(socket)?.calls === 0) socket.end()
    }
    if (socket.readableEnded) return endIfIdle()
    // Node would close its half at the end of the other, before the answers are sent.
    socket.removeAllListeners('end').once('end', endIfIdle)
    hearNoMore(socket)
  }

  #begin(socket: net.Socket, answer: http.ServerResponse): void {
    const connection = this.#connections.get(socket)
    if (connection !== undefined) {
      connection.calls++
      connection.isFresh = false
    }
    this.#answers.add(answer)
    if (this.#draining) announceEnd(answer)
  }

  #end(socket: net.Socket, answer: http.ServerResponse): void {
    this.#answers.delete(answer)
    const connection = this.#connections.get(socket)
    if (connection === undefined || socket.destroyed) return
    connection.calls--
    if (this.#draining && connection.calls === 0) this.#hearOut(socket)
  }
}

/**
 * Whether a call waits for its turn: hundreds may connect at once, and each call
 * computes for a while. What comes after it on the connection stays behind it.
 */
function isHeldBack({ isFresh, waiting }: Connection): boolean {
  return waiting > 0 || (isFresh && isTurnOver())
}

async function answerLater(
  connection: Connection,
  answer: () => void,
): Promise<void> {
  connection.waiting++
  await nextTurn()
  connection.waiting--
  answer()
}

/** Tells the client not to send its next call on this connection. */
function announceEnd(answer: http.ServerResponse): void {
  if (!answer.headersSent) answer.setHeader('Connection', 'close')
}
