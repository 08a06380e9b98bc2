import { z } from 'zod'
import { bytes, type Endpoint, json, lines } from './endpoint.ts'
import { COMPRESSIONS } from './transfer-endpoints.ts'
import { byteCountSchema, nameSchema, timeSchema } from './values.ts'

export const layerSchema = z
  .object({
    id: nameSchema,
    parent: z.string().meta({ description: 'Empty for a base layer' }),
    isSealed: z
      .boolean()
      .meta({ description: 'Whether it is written no more' }),
    isMounted: z.boolean(),
    isKeptForChildren: z
      .boolean()
      .meta({ description: 'Removed, and only kept because another reads it' }),
  })
  .meta({ id: 'Layer' })

export const orphanSchema = layerSchema
  .omit({ isSealed: true })
  .extend({
    createdAt: timeSchema,
    mayGo: z.boolean().meta({
      description: 'Old enough, and nobody has it mounted: `fix` deletes it',
    }),
  })
  .meta({ id: 'OrphanLayer' })

const layerParams = z.object({ layer: nameSchema })

export const layerEndpoints = {
  listLayers: {
    method: 'GET',
    path: '/layers',
    summary: 'The image layers in the Home that Docker named',
    answer: json(
      z.object({
        home: z.string(),
        driver: z.string(),
        layers: z.array(layerSchema),
      }),
    ),
    errors: ['unavailable'],
    changes: false,
  },
  measureLayers: {
    method: 'GET',
    path: '/layers/usage',
    summary:
      'What each layer adds to its parent, one line each as they are counted',
    answer: lines(
      z.object({ id: nameSchema, parent: z.string(), bytes: byteCountSchema }),
    ),
    errors: ['unavailable'],
    changes: false,
  },
  checkLayers: {
    method: 'POST',
    path: '/layers/check',
    summary:
      "Compares the layers with dockerd's own records: which does Docker not name?",
    body: z.object({
      fix: z.boolean().default(false).meta({
        description: 'Delete those that are old and that nobody holds',
      }),
      olderThan: z.number().int().nonnegative().default(86_400).meta({
        description: 'Seconds; a younger layer may be in the making',
      }),
    }),
    answer: json(
      z.object({
        records: z.string().optional().meta({
          description:
            "dockerd's layerdb; absent, nobody can say who is an orphan",
        }),
        orphans: z.array(orphanSchema),
        missing: z
          .array(z.object({ id: z.string(), as: z.string() }))
          .meta({ description: 'Layers that Docker names and nobody has' }),
        broken: z
          .array(z.object({ id: z.string(), parent: z.string() }))
          .meta({ description: 'Layers whose parent is not there' }),
        deleted: z.array(nameSchema),
      }),
    ),
    errors: ['unavailable', 'not-found'],
    changes: true,
  },
  exportLayer: {
    method: 'GET',
    path: '/layers/{layer}/archive',
    summary: 'What a layer changes on its parent, as a layer tar',
    params: layerParams,
    query: z.object({ compression: z.enum(COMPRESSIONS).default('none') }),
    answer: bytes('application/x-tar'),
    errors: ['not-found', 'unavailable'],
    changes: false,
  },
} as const satisfies Record<string, Endpoint>
