import { z } from 'zod'
import { isTurnOver, nextTurn } from '../base/next-turn.ts'
import type { Endpoint } from './contract/endpoint.ts'
import {
  type ErrorCode,
  EVERYWHERE,
  failureBodySchema,
  STATUS_OF,
} from './contract/failure.ts'

type Fields = Readonly<Record<string, unknown>>

/** An OpenAPI 3.1 document, as far as its readers here look into it. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly info: Fields
  readonly paths: Readonly<Record<string, Readonly<Record<string, Fields>>>>
  readonly components: { readonly schemas: Fields }
}

/** Describes `endpoints` for whatever reads OpenAPI 3.1. */
export async function openApiDocument(
  endpoints: Readonly<Record<string, Endpoint>>,
  version: string,
): Promise<OpenApiDocument> {
  const schemas: Record<string, unknown> = {}
  const paths: Record<string, Record<string, Fields>> = {}
  for (const [name, endpoint] of Object.entries(endpoints)) {
    const operations = (paths[endpoint.path] ??= {})
    operations[endpoint.method.toLowerCase()] = operation(name, endpoint, {
      of: (schema, io) => described(schema, { io, schemas }),
    })
    if (isTurnOver()) await nextTurn()
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Stowage',
      version,
      description:
        "The administrator's API of Stowage, on a unix socket of its own. Every answer carries the id of its request in the header stowage-request.",
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: { schemas },
  }
}

type Direction = 'input' | 'output'

interface Describer {
  readonly of: (schema: z.ZodType, io: Direction) => Fields
}

function operation(
  name: string,
  endpoint: Endpoint,
  describe: Describer,
): Fields {
  const { summary, params, query, body } = endpoint
  return {
    operationId: name,
    summary,
    parameters: [
      ...parameters(params, 'path', describe),
      ...parameters(query, 'query', describe),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: content(body, describe) } }),
    responses: {
      [endpoint.status ?? 200]: success(endpoint, describe),
      ...refusals(endpoint.errors, describe),
    },
  }
}

function parameters(
  schema: z.ZodObject | undefined,
  place: 'path' | 'query',
  describe: Describer,
): readonly Fields[] {
  return Object.entries<z.ZodType>(asTypes(schema?.shape)).map(
    ([name, field]) => {
      const { description, ...rest } = describe.of(field, 'input')
      return {
        name,
        in: place,
        required: place === 'path' || !field.safeParse(undefined).success,
        ...(description === undefined ? {} : { description }),
        schema: rest,
      }
    },
  )
}

function asTypes(shape: object = {}): Record<string, z.ZodType> {
  return Object.fromEntries(
    Object.entries(shape).filter(([, field]) => field instanceof z.ZodType),
  )
}

function content(body: z.ZodType | string, describe: Describer): Fields {
  if (typeof body === 'string') return { [body]: { schema: BINARY } }
  const schema = body instanceof z.ZodObject ? body.strict() : body
  return { 'application/json': { schema: describe.of(schema, 'input') } }
}

/** OpenAPI 3.1 has no word for bytes but that they are no text. */
const BINARY = { type: 'string', format: 'binary' }

function success({ answer, summary }: Endpoint, describe: Describer): Fields {
  if (answer.kind === 'nothing') return { description: summary }
  if (answer.kind === 'bytes') {
    const bytes = { [answer.mediaType]: { schema: BINARY } }
    return { description: summary, content: bytes }
  }
  const mediaType =
    answer.kind === 'json' ? 'application/json' : 'application/x-ndjson'
  const schema = describe.of(answer.schema, 'output')
  return { description: summary, content: { [mediaType]: { schema } } }
}

function refusals(codes: readonly ErrorCode[], describe: Describer): Fields {
  const schema = describe.of(failureBodySchema, 'output')
  const all = [...new Set([...EVERYWHERE, ...codes])].toSorted()
  return Object.fromEntries(
    all.map((code) => {
      const status = STATUS_OF[code]
      const same = all.filter((other) => STATUS_OF[other] === status)
      const description = same.join(', ')
      return [
        status,
        { description, content: { 'application/json': { schema } } },
      ]
    }),
  )
}

/** A JSON schema whose named parts are told once, in `schemas`. */
function described(
  schema: z.ZodType,
  {
    io,
    schemas,
  }: { readonly io: Direction; readonly schemas: Record<string, unknown> },
): Fields {
  const raw = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  const text = JSON.stringify(raw).replaceAll(
    '"#/$defs/',
    '"#/components/schemas/',
  )
  const { $schema: _, $defs, ...rest } = fieldsOf(JSON.parse(text))
  Object.assign(schemas, $defs)
  return rest
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {}
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}
