import { once } from 'node:events'
import * as http from 'node:http'
import type { Readable } from 'node:stream'
import { json, text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

/** A permission that a plugin asks for, as Docker words it. */
export type Privilege = Readonly<Record<string, unknown>>

const DEFAULT_HOST = 'unix:///var/run/docker.sock'

/** What Docker's API says to a request that it refuses. */
export class EngineError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** What installing a plugin needs of Docker's API. */
export class Engine {
  readonly #socketPath: string

  private constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  /** @throws when Docker is not on this machine. */
  static of(host: string = DEFAULT_HOST): Engine {
    if (!host.startsWith('unix://')) {
      throw new Error(
        `A plugin is created on the machine that it is for, and DOCKER_HOST is ${host}: give unix:///…/docker.sock`,
      )
    }
    return new Engine(host.slice('unix://'.length))
  }

  /** Whether there is a plugin of that name, and whether it is enabled. */
  async state(name: string): Promise<'absent' | 'disabled' | 'enabled'> {
    try {
      const answer = await this.#send('GET', `/plugins/${name}/json`)
      const { Enabled } = Object(await json(answer))
      return Enabled === true ? 'enabled' : 'disabled'
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return 'absent'
      throw error
    }
  }

  async create(name: string, folder: Readable): Promise<void> {
    await this.#done('POST', `/plugins/create?name=${name}`, folder)
  }

  /** Without a deadline of Docker's own: a large layer takes its time. */
  async enable(name: string): Promise<void> {
    await this.#done('POST', `/plugins/${name}/enable?timeout=0`)
  }

  /** Also while Docker has volumes of it: containers keep what is mounted. */
  async disable(name: string): Promise<void> {
    await this.#done('POST', `/plugins/${name}/disable?force=1`)
  }

  /** What keeps Docker's layers, such as `overlay2` or the name of a plugin. */
  async storageDriver(): Promise<string> {
    const { Driver } = Object(await json(await this.#send('GET', '/info')))
    return String(Driver)
  }

  /** Whether Docker has had volumes, since it started, from a service of that name. */
  async remembersService(name: string): Promise<boolean> {
    const { Plugins } = Object(await json(await this.#send('GET', '/info')))
    return Array.from(Object(Plugins).Volume ?? []).includes(name)
  }

  /** Puts what `reference` names in the place of a disabled plugin. */
  async upgrade(name: string, reference: string): Promise<void> {
    const remote = `remote=${encodeURIComponent(reference)}`
    const asked = await this.#send('GET', `/plugins/privileges?${remote}`)
    const privileges = await text(asked)
    const path = `/plugins/${name}/upgrade?${remote}`
    const answer = await this.#send('POST', path, privileges)
    // Docker says that it fails midway in the last line of a success.
    const failure = /"error":"((?:[^"\\]|\\.)*)"/.exec(await text(answer))?.[1]
    if (failure !== undefined) throw new Error(failure)
  }

  async #done(method: string, path: string, body?: Readable): Promise<void> {
    await text(await this.#send(method, path, body))
  }

  async #send(
    method: string,
    path: string,
    body?: Readable | string,
  ): Promise<http.IncomingMessage> {
    const type = typeof body === 'string' ? 'json' : 'x-tar'
    const request = http.request({
      socketPath: this.#socketPath,
      method,
      path,
      headers:
        body === undefined ? {} : { 'Content-Type': `application/${type}` },
    })
    const answered: Promise<http.IncomingMessage[]> = once(request, 'response')
    if (typeof body === 'string') request.end(body)
    else if (body === undefined) request.end()
    else await pipeline(body, request)
    const [response] = await answered
    if (response === undefined) throw new Error('Docker did not answer')
    const { statusCode = 0 } = response
    if (statusCode < 400) return response
    const { message } = Object(await json(response))
    throw new EngineError(statusCode, String(message))
  }
}
