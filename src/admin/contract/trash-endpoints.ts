import { z } from 'zod'
import { type Endpoint, json, NOTHING } from './endpoint.ts'
import { byteCountSchema, nameSchema, timeSchema } from './values.ts'
import { volumeSchema } from './volume-endpoints.ts'

export const trashEntrySchema = z
  .object({
    id: z.string(),
    volume: nameSchema,
    store: nameSchema,
    removedAt: timeSchema,
    expiresAt: timeSchema,
    bytes: byteCountSchema.optional().meta({
      description: 'What it takes on disk; absent until that was measured',
    }),
    holders: z
      .array(z.string())
      .meta({ description: 'Who held it when Docker removed it' }),
  })
  .meta({ id: 'TrashEntry' })

export type TrashEntryView = z.output<typeof trashEntrySchema>

const trashParams = z.object({
  id: z.string().regex(/^[\w.-]+$/, 'must be an id that the trash lists'),
})

export const trashEndpoints = {
  listTrash: {
    method: 'GET',
    path: '/trash',
    summary: 'Removed volumes that can still be restored, the oldest first',
    query: z.object({ store: nameSchema.optional() }),
    answer: json(z.array(trashEntrySchema)),
    errors: ['not-found', 'unavailable'],
    changes: false,
  },
  restoreTrash: {
    method: 'POST',
    path: '/trash/{id}/restore',
    summary: 'Brings a removed volume back, under its own name or another',
    params: trashParams,
    body: z.object({ name: nameSchema.optional() }),
    answer: json(volumeSchema),
    errors: ['not-found', 'already-exists', 'unavailable'],
    changes: true,
  },
  removeTrash: {
    method: 'DELETE',
    path: '/trash/{id}',
    summary: 'Deletes one removed volume for good',
    params: trashParams,
    answer: NOTHING,
    status: 204,
    errors: ['not-found', 'unavailable'],
    changes: true,
  },
  emptyTrash: {
    method: 'DELETE',
    path: '/trash',
    summary: 'Deletes all removed volumes for good, or those of one store',
    query: z.object({ store: nameSchema.optional() }),
    answer: json(z.object({ deleted: z.array(trashEntrySchema) })),
    errors: ['not-found', 'unavailable'],
    changes: true,
  },
} as const satisfies Record<string, Endpoint>
