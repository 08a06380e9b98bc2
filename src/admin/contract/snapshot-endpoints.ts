import { z } from 'zod'
import { type Endpoint, json, NOTHING } from './endpoint.ts'
import { nameSchema, timeSchema } from './values.ts'
import { volumeParams, volumeSchema } from './volume-endpoints.ts'

export const snapshotSchema = z
  .object({
    name: nameSchema,
    volume: nameSchema,
    createdAt: timeSchema,
  })
  .meta({ id: 'Snapshot' })

export type SnapshotView = z.output<typeof snapshotSchema>

const snapshotParams = volumeParams.extend({ snapshot: nameSchema })

export const snapshotEndpoints = {
  listSnapshots: {
    method: 'GET',
    path: '/volumes/{name}/snapshots',
    summary: 'The snapshots of a volume, the oldest first',
    params: volumeParams,
    answer: json(z.array(snapshotSchema)),
    errors: ['not-found', 'not-supported', 'unavailable'],
    changes: false,
  },
  createSnapshot: {
    method: 'POST',
    path: '/volumes/{name}/snapshots',
    summary:
      'Keeps a volume as it is now under a name, or one made of the time',
    params: volumeParams,
    body: z.object({
      name: nameSchema.optional(),
      pause: z.boolean().default(false).meta({
        description:
          'Keep its writers waiting meanwhile, where its store needs that',
      }),
    }),
    answer: json(snapshotSchema),
    status: 201,
    errors: [
      'not-found',
      'already-exists',
      'in-use',
      'not-supported',
      'unavailable',
    ],
    changes: true,
  },
  removeSnapshot: {
    method: 'DELETE',
    path: '/volumes/{name}/snapshots/{snapshot}',
    summary: 'Deletes a snapshot for good',
    params: snapshotParams,
    answer: NOTHING,
    status: 204,
    errors: ['not-found', 'in-use', 'unavailable'],
    changes: true,
  },
  rollbackVolume: {
    method: 'POST',
    path: '/volumes/{name}/snapshots/{snapshot}/rollback',
    summary: 'Makes a volume what it was, and keeps what it is as a snapshot',
    params: snapshotParams,
    answer: json(
      z.object({
        volume: volumeSchema,
        saved: snapshotSchema.meta({ description: 'What it was until now' }),
      }),
    ),
    errors: ['not-found', 'in-use', 'not-supported', 'unavailable'],
    changes: true,
  },
} as const satisfies Record<string, Endpoint>
