import { once } from 'node:events'
import * as http from 'node:http'
import { buffer } from 'node:stream/consumers'

/** The fields of calls and replies that mutants touch. */
export interface Fields {
  readonly Name?: string
  readonly ID: string
  readonly Volume: null | {
    readonly Name: string
    readonly Status: { readonly holders: number }
  }
  readonly Volumes: readonly object[]
  readonly Mountpoint: string
  readonly Exists: boolean
  readonly Dir: string
  readonly Changes: readonly { readonly Kind: number }[]
}

/** One call on its way to the plugin. */
export interface Call {
  /** Such as `VolumeDriver.Create`. */
  readonly method: string
  readonly url: string
  readonly body: Buffer
  /** The fields of a body that is JSON. */
  readonly fields: Fields
  readonly headers: http.IncomingHttpHeaders
}

export interface Reply {
  readonly status: number
  readonly body: Buffer | string
}

export type Forward = (call: Call) => Promise<Reply>

/** What a mutant does with a call; `undefined` cuts the connection. */
export type Mutation = (
  call: Call,
  forward: Forward,
) => Promise<Reply | undefined>

export interface Mutant {
  readonly mutation: Mutation
  /** Milliseconds after which idle connections are closed. */
  readonly keepAlive?: number
  /** Answers an upload when its first bytes have come. */
  readonly answersEarly?: boolean
}

/** Mutations of the calls of one interface of Docker's. */
export interface Mutations {
  /** Changes the replies to one method of those that succeeded. */
  readonly after: (
    method: string,
    change: (reply: Reply, call: Call) => Reply | Promise<Reply>,
  ) => Mutation
  /** Answers one method in place of the plugin. */
  readonly instead: (
    method: string,
    reply: (call: Call, forward: Forward) => Promise<Reply | undefined>,
  ) => Mutation
}

export const mutationsOf = (
  driver: 'VolumeDriver' | 'GraphDriver',
): Mutations => ({
  after: (method, change) => async (call, forward) => {
    const reply = await forward(call)
    const fits = call.method === `${driver}.${method}`
    return fits && reply.status === 200 ? change(reply, call) : reply
  },
  instead: (method, reply) => async (call, forward) =>
    call.method === `${driver}.${method}`
      ? reply(call, forward)
      : forward(call),
})

/** A mutant that is no more than its mutation. */
export const plain = (mutation: Mutation) => (): Mutant => ({ mutation })

export const json = (status: number, value: unknown): Reply => ({
  status,
  body: JSON.stringify(value),
})

/** The fields of a reply. */
export const fieldsOf = ({ body }: Reply): Fields => JSON.parse(String(body))

/** Stands before the plugin at `target`, and changes what passes. */
export async function serveMutant(
  { mutation, keepAlive = 0, answersEarly = false }: Mutant,
  target: string,
  socketPath: string,
): Promise<http.Server> {
  const agent = new http.Agent({ keepAlive: true })
  const forward: Forward = async ({ url, body }) => {
    const request = http.request({
      socketPath: target,
      agent,
      method: 'POST',
      path: url,
    })
    request.end(body)
    const [told]: http.IncomingMessage[] = await once(request, 'response')
    return { status: told!.statusCode!, body: await buffer(told!) }
  }
  const options = { keepAliveTimeout: keepAlive, requireHostHeader: false }
  const server = http.createServer(options, (request, response) => {
    const answered =
      answersEarly && request.url?.includes('ApplyDiff')
        ? answerEarly(request, response)
        : answer(request, response, mutation, forward)
    answered.catch(() => response.destroy())
  })
  server.listen(socketPath)
  server.once('close', () => agent.destroy())
  await once(server, 'listening')
  return server
}

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  mutation: Mutation,
  forward: Forward,
): Promise<void> {
  const { url = '', headers } = request
  const [method = ''] = url.slice(1).split('?')
  const body = await buffer(request)
  const call = { method, url, body, fields: fieldsIn(body), headers }
  const reply = await mutation(call, forward)
  if (reply === undefined) response.destroy()
  else response.writeHead(reply.status).end(reply.body)
}

async function answerEarly(
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  await once(request, 'data')
  request.resume()
  response.end(JSON.stringify({ Size: 5 }))
}

function fieldsIn(body: Buffer): Fields {
  try {
    return JSON.parse(String(body)) ?? {}
  } catch {
    return JSON.parse('{}')
  }
}
