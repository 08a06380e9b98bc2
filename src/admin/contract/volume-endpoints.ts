import { z } from 'zod'
import { type Endpoint, json, NOTHING } from './endpoint.ts'
import {
  byteCountSchema,
  capacityTextSchema,
  flagSchema,
  holderSchema,
  listSchema,
  nameSchema,
  timeSchema,
  typedOptionsSchema,
} from './values.ts'

/** A volume as the catalogue knows it; a damaged one has little but its problem. */
export const volumeSchema = z
  .object({
    name: nameSchema,
    store: nameSchema,
    kind: z.string().meta({ description: 'The kind of its store' }),
    link: z.string().meta({ description: 'Its self link' }),
    createdAt: timeSchema.optional(),
    mountpoint: z.string().optional(),
    capacity: byteCountSchema
      .optional()
      .meta({ description: 'What it may hold now' }),
    snapshots: z.number().int().nonnegative(),
    isReadOnly: z.boolean(),
    isProtected: z.boolean(),
    isAdopted: z
      .boolean()
      .meta({ description: 'Whether its files are a directory not our own' }),
    labels: z.record(z.string(), z.string()),
    options: typedOptionsSchema.meta({ description: 'As they were typed' }),
    holders: z.array(holderSchema),
    problem: z
      .string()
      .optional()
      .meta({ description: 'Why it cannot be used now' }),
  })
  .meta({ id: 'Volume' })

export type VolumeView = z.output<typeof volumeSchema>

export const usageSchema = z
  .object({
    bytes: byteCountSchema.meta({ description: 'What its files hold' }),
    allocated: byteCountSchema.meta({
      description: 'What it takes of the store',
    }),
    inodes: z.number().int().nonnegative(),
    capacity: byteCountSchema.optional(),
  })
  .meta({ id: 'Usage' })

export const volumeParams = z.object({ name: nameSchema })

export const volumeEndpoints = {
  listVolumes: {
    method: 'GET',
    path: '/volumes',
    summary: 'All volumes by name, or those of a store or with labels',
    query: z.object({
      store: nameSchema.optional(),
      label: listSchema.meta({
        description: 'KEY or KEY=VALUE; each one must be there',
      }),
      held: flagSchema.meta({ description: 'Only those that somebody holds' }),
    }),
    answer: json(z.array(volumeSchema)),
    errors: ['unavailable'],
    changes: false,
  },
  inspectVolume: {
    method: 'GET',
    path: '/volumes/{name}',
    summary: 'One volume',
    params: volumeParams,
    answer: json(volumeSchema),
    errors: ['not-found', 'unavailable'],
    changes: false,
  },
  createVolume: {
    method: 'POST',
    path: '/volumes',
    summary: 'Creates a volume in the store that its options name',
    body: z.object({
      name: nameSchema,
      options: typedOptionsSchema.default({}),
    }),
    answer: json(volumeSchema),
    status: 201,
    errors: ['already-exists', 'not-found', 'not-supported', 'unavailable'],
    changes: true,
  },
  removeVolume: {
    method: 'DELETE',
    path: '/volumes/{name}',
    summary: 'Removes a volume that nobody holds; it goes to the trash',
    params: volumeParams,
    answer: NOTHING,
    status: 204,
    errors: ['not-found', 'in-use', 'unavailable'],
    changes: true,
  },
  measureVolume: {
    method: 'GET',
    path: '/volumes/{name}/usage',
    summary: 'What the volume holds, counted now',
    params: volumeParams,
    answer: json(usageSchema),
    errors: ['not-found', 'unavailable'],
    changes: false,
  },
  renameVolume: {
    method: 'POST',
    path: '/volumes/{name}/rename',
    summary: 'Gives a volume that nobody holds another name',
    params: volumeParams,
    body: z.object({ to: nameSchema }),
    answer: json(volumeSchema),
    errors: ['not-found', 'already-exists', 'in-use', 'unavailable'],
    changes: true,
  },
  resizeVolume: {
    method: 'POST',
    path: '/volumes/{name}/resize',
    summary:
      'Gives a volume another capacity, while it is held where that can be',
    params: volumeParams,
    body: z.object({ capacity: capacityTextSchema }),
    answer: json(
      volumeSchema.extend({
        effective: z.enum([
          'now',
          'when it is mounted',
          'when it is mounted again',
        ]),
      }),
    ),
    errors: ['not-found', 'in-use', 'not-supported', 'unavailable'],
    changes: true,
  },
  setVolume: {
    method: 'PATCH',
    path: '/volumes/{name}',
    summary: 'Changes options and labels of a volume; null takes one away',
    params: volumeParams,
    body: z.object({
      options: z.record(z.string(), z.string().nullable()),
    }),
    answer: json(volumeSchema),
    errors: ['not-found', 'in-use', 'not-supported', 'unavailable'],
    changes: true,
  },
  protectVolume: {
    method: 'PUT',
    path: '/volumes/{name}/protection',
    summary: 'Refuses removal of a volume from now on, or allows it again',
    params: volumeParams,
    body: z.object({ isProtected: z.boolean() }),
    answer: json(volumeSchema),
    errors: ['not-found', 'unavailable'],
    changes: true,
  },
  adoptVolume: {
    method: 'POST',
    path: '/volumes/adopt',
    summary: 'Makes a volume of an existing directory, which is never deleted',
    body: z.object({
      name: nameSchema,
      path: z.string().startsWith('/', 'must be an absolute path'),
      options: typedOptionsSchema.default({}),
    }),
    answer: json(volumeSchema),
    status: 201,
    errors: ['already-exists', 'in-use', 'not-supported', 'unavailable'],
    changes: true,
  },
  releaseVolume: {
    method: 'POST',
    path: '/volumes/{name}/release',
    summary: 'Forgets an adopted volume, and leaves its directory as it is',
    params: volumeParams,
    answer: json(z.object({ path: z.string() })),
    errors: ['not-found', 'in-use', 'invalid-argument', 'unavailable'],
    changes: true,
  },
} as const satisfies Record<string, Endpoint>
