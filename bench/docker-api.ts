import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** Docker's API, without the start of a client program in the figures. */
export class DockerApi implements Disposable {
  readonly #socketPath: string
  readonly #agent: Agent

  constructor(socketPath: string, connections = 1) {
    this.#socketPath = socketPath
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
  }

  async call(method: string, path: string, body?: object): Promise<string> {
    const call = request({
      socketPath: this.#socketPath,
      agent: this.#agent,
      method,
      path: `/v1.41${path}`,
      headers: { 'Content-Type': 'application/json' },
    })
    call.end(body === undefined ? undefined : JSON.stringify(body))
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    const answer = await text(response)
    if ((response.statusCode ?? 500) < 300) return answer
    throw new Error(`${method} ${path}: ${response.statusCode} ${answer}`)
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}
