import type { AnswerOf, Endpoint, Received } from './contract/endpoint.ts'

/** What a handler knows of the request beyond what was sent. */
export interface Call {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  /** Sets a header of an answer that has not begun. */
  readonly header: (name: string, value: string) => void
}

/** Answers one endpoint. What it throws becomes a failure in `reply.ts`. */
export type Handler<E extends Endpoint> = (
  received: Received<E>,
  call: Call,
) => Promise<Given<AnswerOf<E>>>

/** What is answered as an array may be anything that is iterated, by and by. */
type Given<T> = T extends readonly (infer I)[] ? Iterable<I> : T

/** One handler for each row of a table: none too few, none too many. */
export type Handlers<T extends Readonly<Record<string, Endpoint>>> = {
  readonly [K in keyof T]: Handler<T[K]>
}
