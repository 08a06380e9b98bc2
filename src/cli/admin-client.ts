import { once } from 'node:events'
import * as http from 'node:http'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  asError,
  isErrno,
  messageOf,
  UnavailableError,
} from '../base/errors.ts'
import { ENDPOINTS } from '../admin/contract/endpoints.ts'
import { failureBodySchema } from '../admin/contract/failure.ts'
import { JOB_HEADER } from '../admin/contract/transfer-endpoints.ts'
import { AdminFailure } from './admin-failure.ts'
import type { AnswerFrom, OperationWith, RequestFor } from './operations.ts'

/** The parts that any request may have. */
interface Parts {
  readonly params?: Readonly<Record<string, unknown>>
  readonly query?: Readonly<Record<string, unknown>>
  readonly body?: unknown
}

/** Bytes on their way from the daemon. */
export interface Download {
  readonly bytes: Readable
  readonly job: string | undefined
}

/** A typed client of the administrator's API. */
export class AdminClient {
  readonly #socketPath: string
  readonly #signal: AbortSignal

  /** @param signal Lets go of whatever is under way. */
  constructor(socketPath: string, signal: AbortSignal) {
    this.#socketPath = socketPath
    this.#signal = signal
  }

  /**
   * Asks for one answer.
   *
   * @throws AdminFailure for what the daemon refuses.
   * @throws UnavailableError where there is none.
   */
  async ask<N extends OperationWith<'json' | 'nothing'>>(
    operation: N,
    request: RequestFor<N>,
  ): Promise<AnswerFrom<N>> {
    const answer = await text(await this.#send(operation, request))
    return JSON.parse(answer || 'null')
  }

  /** What comes line by line, until the daemon has no more or is let go. */
  async *follow<N extends OperationWith<'lines'>>(
    operation: N,
    request: RequestFor<N>,
  ): AsyncGenerator<AnswerFrom<N> extends AsyncIterable<infer T> ? T : never> {
    const input = await this.#send(operation, request)
    for await (const line of createInterface({ input })) {
      if (line !== '') yield JSON.parse(line)
    }
    if (!input.complete) throw cutOff()
  }

  /** A stream that fails where the daemon cuts it off. */
  async download<N extends OperationWith<'bytes'>>(
    operation: N,
    request: RequestFor<N>,
  ): Promise<Download> {
    const response = await this.#send(operation, request)
    const { [JOB_HEADER]: job } = response.headers
    return { bytes: response, job: typeof job === 'string' ? job : undefined }
  }

  async #send(
    operation: keyof typeof ENDPOINTS,
    { params = {}, query = {}, body }: Parts,
  ): Promise<http.IncomingMessage> {
    const { method, path } = ENDPOINTS[operation]
    const request = http.request({
      socketPath: this.#socketPath,
      method,
      path: filled(path, params) + queryOf(query),
      signal: this.#signal,
      headers: { 'content-type': MEDIA_TYPES[kindOf(body)] },
    })
    const response = await this.#exchange(request, body)
    const { statusCode = 500 } = response
    if (statusCode >= 200 && statusCode < 300) return response
    throw failureIn(await text(response), statusCode)
  }

  /** The answer may come before all of the request was taken: then it is a refusal. */
  async #exchange(
    request: http.ClientRequest,
    body: unknown,
  ): Promise<http.IncomingMessage> {
    const answer = answerTo(request)
    const sending = sent(request, body)
    try {
      const first = await Promise.race([answer, failureOnly(sending)])
      return first
    } catch (error) {
      // Whoever refuses a stream answers, and then reads no more of it.
      const refusal = await settledSoon(answer)
      if (refusal !== undefined) return refusal
      throw this.#translated(error)
    }
  }

  #translated(error: unknown): Error {
    if (isErrno(error, 'ECONNREFUSED', 'ENOENT')) {
      return new UnavailableError(
        `No daemon answers at "${this.#socketPath}": start it with "systemctl start stowage", or name its socket with --socket`,
        { cause: error },
      )
    }
    if (isErrno(error, 'EACCES')) {
      return new UnavailableError(
        `"${this.#socketPath}" is for root alone: run the command as root`,
        { cause: error },
      )
    }
    return isErrno(error, 'ECONNRESET', 'EPIPE')
      ? cutOff(error)
      : asError(error)
  }
}

const MEDIA_TYPES = {
  json: 'application/json',
  stream: 'application/x-tar',
} as const

function kindOf(body: unknown): keyof typeof MEDIA_TYPES {
  return body instanceof Readable ? 'stream' : 'json'
}

function filled(
  path: string,
  params: Readonly<Record<string, unknown>>,
): string {
  return path.replaceAll(/\{(\w+)\}/g, (_match, name: string) =>
    encodeURIComponent(String(params[name])),
  )
}

/** Lists are the parameter again and again. */
function queryOf(query: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, String(one)]),
    )
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`
}

async function answerTo(
  request: http.ClientRequest,
): Promise<http.IncomingMessage> {
  const [response]: http.IncomingMessage[] = await once(request, 'response')
  if (response !== undefined) return response
  throw new Error('There was no answer')
}

async function sent(request: http.ClientRequest, body: unknown): Promise<void> {
  if (body instanceof Readable) await pipeline(body, request)
  else request.end(body === undefined ? undefined : JSON.stringify(body))
}

/** Never settles but by the failure of `work`. */
async function failureOnly(work: Promise<void>): Promise<never> {
  await work
  return new Promise(() => undefined)
}

/** What `work` comes to, if it does so before long. */
async function settledSoon<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await Promise.race([
      work,
      sleep(PATIENCE, undefined, { ref: false }),
    ])
  } catch {
    return undefined
  }
}

const PATIENCE = 200

function failureIn(answer: string, status: number): Error {
  try {
    return new AdminFailure(failureBodySchema.parse(JSON.parse(answer)).error)
  } catch (error) {
    return new Error(
      `The daemon answered ${status}, and not as this command knows it: ${messageOf(error)}`,
      { cause: error },
    )
  }
}

function cutOff(cause?: unknown): Error {
  return new UnavailableError(
    'The daemon ended, or cut the connection, before it was done: its log says why',
    { cause },
  )
}
