import { Readable } from 'node:stream'
import type { Request } from 'express'
import { z } from 'zod'
import { InvalidArgumentError } from '../base/errors.ts'
import type { Endpoint, Received } from './contract/endpoint.ts'

/**
 * The parts of `request` that `endpoint` has, as its schemas read them. What it does
 * not know is refused, since a misspelled field would silently mean nothing.
 *
 * @throws InvalidArgumentError that names each field which is wrong.
 */
export function checkedRequest<E extends Endpoint>(
  endpoint: E,
  request: Request,
): Received<E> {
  const { params, query, body } = endpoint
  const parts = {
    ...(params === undefined ? {} : { params: read(params, request.params) }),
    query: read(query ?? NO_QUERY, request.query),
    ...(body === undefined ? {} : { body: bodyOf(body, request) }),
  }
  if (hasParts(endpoint, parts)) return parts
  throw new Error('A request lacks parts that were just read')
}

const NO_QUERY = z.object({})

function bodyOf(form: z.ZodType | string, request: Request): unknown {
  return typeof form === 'string' ? request : read(form, request.body ?? {})
}

function read(schema: z.ZodType, value: unknown): unknown {
  const strict = schema instanceof z.ZodObject ? schema.strict() : schema
  const outcome = strict.safeParse(value)
  if (outcome.success) return outcome.data
  const issues = outcome.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  )
  throw new InvalidArgumentError(`Request is not valid: ${issues.join('; ')}`)
}

/** The schemas made the parts, so that having them is all there is to see to. */
function hasParts<E extends Endpoint>(
  { params, body }: E,
  parts: { readonly params?: unknown; readonly body?: unknown },
): parts is Received<E> {
  return (
    (params === undefined || parts.params !== undefined) &&
    (typeof body === 'string'
      ? parts.body instanceof Readable
      : body === undefined || parts.body !== undefined)
  )
}
