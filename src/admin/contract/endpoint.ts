import type { z } from 'zod'
import type { ErrorCode } from './failure.ts'

/** What an endpoint answers: one JSON value, a line of JSON each, bytes, or nothing. */
export type AnswerForm =
  | { readonly kind: 'json'; readonly schema: z.ZodType }
  | { readonly kind: 'lines'; readonly schema: z.ZodType }
  | { readonly kind: 'bytes'; readonly mediaType: string }
  | { readonly kind: 'nothing' }

/**
 * One row of the administrator's API: everything that its server, its description
 * and its clients need to know, so that none of them can say anything else.
 *
 * A row is in the table `ENDPOINTS` from the moment that it is served, and its key
 * there is the name of the operation.
 */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the root of the API; `{name}` is a parameter of `params`. */
  readonly path: string
  /** One sentence for people, without a period. */
  readonly summary: string
  readonly params?: z.ZodObject
  readonly query?: z.ZodObject
  /** The JSON that the request carries, or the media type of what it streams. */
  readonly body?: z.ZodType | string
  readonly answer: AnswerForm
  /** The status of success; 200 if not given. */
  readonly status?: number
  /** What it may refuse for, besides what any endpoint may. */
  readonly errors: readonly ErrorCode[]
  /** Whether it changes anything, and so stands in the audit log. */
  readonly changes: boolean
}

/** What a client sends: each part that the endpoint has. */
export type RequestTo<E extends Endpoint> = Parts<E, 'input'>

/** What the server's handler is given: the same parts, checked and with defaults. */
export type Received<E extends Endpoint> = Parts<E, 'output'>

/** What the endpoint answers: a value, a stream of values, or a stream of bytes. */
export type AnswerOf<E extends Endpoint> = E['answer'] extends {
  readonly kind: 'json'
  readonly schema: infer S extends z.ZodType
}
  ? z.input<S>
  : E['answer'] extends {
        readonly kind: 'lines'
        readonly schema: infer S extends z.ZodType
      }
    ? AsyncIterable<z.input<S>>
    : E['answer'] extends { readonly kind: 'bytes' }
      ? NodeJS.ReadableStream
      : void

type Parts<E extends Endpoint, D extends 'input' | 'output'> = {
  readonly [
    K in 'params' | 'query' | 'body' as E[K] extends z.ZodType | string
      ? K
      : never
  ]: E[K] extends z.ZodType ? Sides<E[K]>[D] : NodeJS.ReadableStream
}

interface Sides<S extends z.ZodType> {
  readonly input: z.input<S>
  readonly output: z.output<S>
}

export function json<S extends z.ZodType>(
  schema: S,
): { readonly kind: 'json'; readonly schema: S } {
  return { kind: 'json', schema }
}

/** One JSON value on each line, as they come: `application/x-ndjson`. */
export function lines<S extends z.ZodType>(
  schema: S,
): { readonly kind: 'lines'; readonly schema: S } {
  return { kind: 'lines', schema }
}

export function bytes(mediaType: string): {
  readonly kind: 'bytes'
  readonly mediaType: string
} {
  return { kind: 'bytes', mediaType }
}

export const NOTHING = { kind: 'nothing' } as const
