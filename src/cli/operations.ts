import type { AnswerOf, RequestTo } from '../admin/contract/endpoint.ts'
import type { ENDPOINTS } from '../admin/contract/endpoints.ts'

type Rows = typeof ENDPOINTS

/** The operations whose answers have the form `K`. */
export type OperationWith<K extends 'json' | 'nothing' | 'lines' | 'bytes'> = {
  [N in keyof Rows]: Rows[N]['answer'] extends { readonly kind: K } ? N : never
}[keyof Rows]

export type RequestFor<N extends keyof Rows> = RequestTo<Rows[N]>
export type AnswerFrom<N extends keyof Rows> = AnswerOf<Rows[N]>
