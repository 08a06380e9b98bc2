import { z } from 'zod'
import { type Endpoint, json, NOTHING } from './endpoint.ts'
import { byteCountSchema, nameSchema } from './values.ts'

/** Absent, it can; else why it cannot, in words that follow "because". */
const inabilitySchema = z.record(z.string(), z.string()).meta({
  description: 'What it cannot do, and why: words that follow "because"',
})

export const storeSchema = z
  .object({
    name: nameSchema,
    kind: z.string(),
    path: z.string(),
    state: z.enum(['opening', 'online', 'degraded', 'offline']),
    reason: z.string().optional(),
    volumes: z.number().int().nonnegative(),
    origin: z
      .enum(['settings', 'added'])
      .meta({ description: 'Whether a setting names it, or `store add`' }),
    size: byteCountSchema.optional(),
    free: byteCountSchema.optional(),
    trash: byteCountSchema.optional(),
    cannot: inabilitySchema.optional(),
    repairs: z
      .array(z.object({ volume: z.string(), repair: z.string() }))
      .meta({ description: 'What was put right since the daemon has started' }),
  })
  .meta({ id: 'Store' })

export type StoreView = z.output<typeof storeSchema>

const storeParams = z.object({ store: nameSchema })

export const storeEndpoints = {
  listStores: {
    method: 'GET',
    path: '/stores',
    summary: 'The volume stores by name, and how they are',
    answer: json(z.array(storeSchema)),
    errors: [],
    changes: false,
  },
  addStore: {
    method: 'POST',
    path: '/stores',
    summary: 'Adds a store, for good: the data root remembers it',
    body: z.object({
      spec: z.string().meta({
        description: 'NAME=KIND:PATH?key=value&…, as in the settings',
      }),
    }),
    answer: json(storeSchema),
    status: 201,
    errors: ['already-exists', 'not-supported', 'unavailable'],
    changes: true,
  },
  checkStore: {
    method: 'POST',
    path: '/stores/{store}/check',
    summary: 'Reads a store anew, and tells what is wrong in it',
    params: storeParams,
    answer: json(
      z.object({
        store: storeSchema,
        problems: z.array(z.object({ volume: z.string(), reason: z.string() })),
      }),
    ),
    errors: ['not-found', 'unavailable'],
    changes: false,
  },
  removeStore: {
    method: 'DELETE',
    path: '/stores/{store}',
    summary: 'Lets go of an added store; its volumes stay on disk',
    params: storeParams,
    answer: NOTHING,
    status: 204,
    errors: ['not-found', 'in-use'],
    changes: true,
  },
} as const satisfies Record<string, Endpoint>
