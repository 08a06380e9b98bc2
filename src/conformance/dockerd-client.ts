import { once } from 'node:events'
import * as http from 'node:http'
import type * as net from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { isErrno } from '../base/errors.ts'

/** When dockerd asks again after a lost connection: four times within 15 s. */
export const DOCKER_RETRIES: readonly number[] = [1000, 2000, 4000, 8000]

/** What a plugin sent back, before anyone judged it. */
export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** An answer that dockerd shows to its user as a failure. */
export class PluginFailure extends Error {}

/** The fields of a request, or of a reply. */
export type Json = Readonly<Record<string, unknown>>

/**
 * Talks to a plugin as dockerd 20.10 does, header by header.
 *
 * `call`, `diff` and `applyDiff` judge the answer as dockerd would and ask again
 * when the connection is lost, by default never; give `DOCKER_RETRIES` for its
 * own patience. A repeated call has an empty body unless nobody listened at all:
 * dockerd has drained its buffer by then. `post` shows the raw answer.
 */
export class DockerdClient {
  readonly #socketPath: string
  readonly #retries: readonly number[]
  #agent = newAgent()

  constructor(socketPath: string, retries: readonly number[] = []) {
    this.#socketPath = socketPath
    this.#retries = retries
  }

  /** One method: the fields of its reply, or `PluginFailure`. */
  async call(method: string, fields?: Json): Promise<Json> {
    const body = fields === undefined ? '' : encode(fields)
    const answer = await this.#retrying(body, (left) => this.post(method, left))
    return judge(method, answer)
  }

  /** One request with exactly these bytes as its body, and no second try. */
  async post(method: string, body: string | Json = ''): Promise<Answer> {
    return read(
      await this.#send(method, typeof body === 'string' ? body : encode(body)),
    )
  }

  /** The tar of `GraphDriver.Diff`, as it comes. */
  async diff(fields: Json): Promise<http.IncomingMessage> {
    const method = 'GraphDriver.Diff'
    return this.#retrying(encode(fields), async (body) => {
      const answer = await this.#send(method, body)
      if (answer.statusCode !== 200) judge(method, await read(answer))
      return answer
    })
  }

  /**
   * Uploads a layer tar in chunks. The source of a second attempt is closed, so
   * that one ends after its headers.
   */
  async applyDiff(
    id: string,
    parent: string,
    tar: Readable | Buffer,
  ): Promise<Json> {
    const method = 'GraphDriver.ApplyDiff'
    const path = uploadPath(id, parent)
    const source = Buffer.isBuffer(tar) ? Readable.from(chunksOf(tar)) : tar
    let first = true
    return this.#retrying('', async () => {
      if (!first) {
        await this.cutUpload(path, Buffer.alloc(0))
        throw new Error('io: read/write on closed pipe')
      }
      first = false
      const request = this.upload(path)
      const [answer] = await Promise.all([
        response(request),
        pipeline(source, request),
      ])
      return judge(method, await read(answer))
    })
  }

  /** A chunked upload whose body is left to the caller. */
  upload(path: string): http.ClientRequest {
    return this.#request(path, { 'Transfer-Encoding': 'chunked' })
  }

  /** An upload that is cut off when it has sent `bytes`. */
  async cutUpload(path: string, bytes: Buffer): Promise<void> {
    const request = this.upload(path)
    request.on('error', () => undefined)
    request.flushHeaders()
    const [socket]: net.Socket[] = await once(request, 'socket')
    if (bytes.length > 0) request.write(bytes)
    await new Promise((sent) => socket?.write('', sent))
    request.destroy()
  }

  /** Closes the connections that dockerd would have kept. */
  close(): void {
    this.#agent.destroy()
  }

  /** Begins with new connections, as after a restart of the plugin. */
  forgetConnections(): void {
    this.#agent.destroy()
    this.#agent = newAgent()
  }

  /** Go takes another connection by itself when a kept one takes nothing any more. */
  async #send(method: string, body: string): Promise<http.IncomingMessage> {
    const request = this.#request(method, {
      'Content-Length': String(Buffer.byteLength(body)),
    })
    request.end(body)
    try {
      return await response(request)
    } catch (error) {
      if (!request.reusedSocket || !isErrno(error, 'EPIPE')) throw error
      return this.#send(method, body)
    }
  }

  #request(path: string, length: Readonly<Record<string, string>>) {
    const request = http.request({
      socketPath: this.#socketPath,
      agent: this.#agent,
      method: 'POST',
      path: `/${path}`,
      setHost: false,
      headers: {
        Host: '',
        'User-Agent': 'Go-http-client/1.1',
        ...length,
        Accept: 'application/vnd.docker.plugins.v1.2+json',
      },
    })
    // Go keeps connections without saying so.
    request.removeHeader('Connection')
    return request
  }

  async #retrying<T>(
    body: string,
    attempt: (body: string) => Promise<T>,
  ): Promise<T> {
    let left = body
    for (const delay of this.#retries) {
      try {
        return await attempt(left)
      } catch (error) {
        if (error instanceof PluginFailure) throw error
        if (!isErrno(error, 'ECONNREFUSED', 'ENOENT')) left = ''
      }
      await sleep(delay)
    }
    return attempt(left)
  }
}

/** dockerd keeps two idle connections. */
function newAgent(): http.Agent {
  return new http.Agent({ keepAlive: true, maxFreeSockets: 2 })
}

/** Go's encoder ends what it writes with a newline. */
function encode(fields: Json): string {
  return `${JSON.stringify(fields)}\n`
}

/** dockerd escapes neither id. */
function uploadPath(id: string, parent: string): string {
  return `GraphDriver.ApplyDiff?id=${id}&parent=${parent}`
}

function response(request: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
  })
}

async function read(answer: http.IncomingMessage): Promise<Answer> {
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    body: await text(answer),
  }
}

/** 200 and JSON without `Err` is success; all else is a failure with a text. */
function judge(method: string, { status, body }: Answer): Json {
  if (status !== 200) {
    throw new PluginFailure(`${method}: ${errorIn(body) ?? body}`)
  }
  if (body === '') throw new PluginFailure('EOF')
  const failure = errorIn(body)
  if (failure !== undefined) throw new PluginFailure(failure)
  return parse(body)
}

function errorIn(body: string): string | undefined {
  try {
    const { Err: message } = parse(body)
    return typeof message === 'string' && message !== '' ? message : undefined
  } catch {
    return undefined
  }
}

function parse(body: string): Json {
  return JSON.parse(body) ?? {}
}

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  const size = 32 * 1024
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size)
  }
}
