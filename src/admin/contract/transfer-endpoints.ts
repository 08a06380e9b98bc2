import { z } from 'zod'
import { bytes, type Endpoint, json } from './endpoint.ts'
import { jobSchema } from './job-endpoints.ts'
import {
  byteCountSchema,
  flagSchema,
  listSchema,
  nameSchema,
  typedOptionsSchema,
} from './values.ts'
import { volumeParams } from './volume-endpoints.ts'

export const COMPRESSIONS = ['none', 'gzip', 'zstd'] as const

/** Carries the id of the job that stands for a stream which is under way, and tells how far it is. */
export const JOB_HEADER = 'stowage-job'

const ARCHIVE = 'application/x-tar'

/** Which entries go through, and under which names; see `FilterSpec`. */
export const filterQuery = z.object({
  include: listSchema,
  exclude: listSchema,
  strip: z.string().optional(),
  rebase: z.string().optional(),
})

export const importResultSchema = z
  .object({
    entries: z.number().int().nonnegative(),
    bytes: byteCountSchema,
    skipped: z.array(z.object({ name: z.string(), reason: z.string() })),
  })
  .meta({ id: 'ImportResult' })

export const transferEndpoints = {
  exportVolume: {
    method: 'GET',
    path: '/volumes/{name}/archive',
    summary: 'The files of a volume as a tar',
    params: volumeParams,
    query: filterQuery.extend({
      compression: z.enum(COMPRESSIONS).default('none'),
      since: nameSchema.optional().meta({
        description: 'Only what differs from this volume, as a layer has it',
      }),
    }),
    answer: bytes(ARCHIVE),
    errors: ['not-found', 'not-supported', 'unavailable'],
    changes: false,
  },
  importVolume: {
    method: 'PUT',
    path: '/volumes/{name}/archive',
    summary:
      'Makes a volume of a tar, plain or compressed by gzip or zstd; if that fails there is no volume',
    params: volumeParams,
    query: filterQuery.extend({
      option: listSchema.meta({
        description: 'KEY=VALUE: an option of the new volume',
      }),
      into: flagSchema.meta({
        description: 'Unpack over a volume that exists, instead of a new one',
      }),
    }),
    body: ARCHIVE,
    answer: json(importResultSchema),
    errors: [
      'not-found',
      'already-exists',
      'in-use',
      'not-supported',
      'cancelled',
      'unavailable',
    ],
    changes: true,
  },
  cloneVolume: {
    method: 'POST',
    path: '/volumes/{name}/clone',
    summary: 'Begins to make a new volume of a volume or a snapshot of it',
    params: volumeParams,
    body: z.object({
      to: nameSchema,
      snapshot: nameSchema.optional(),
      options: typedOptionsSchema.default({}),
    }),
    answer: json(jobSchema),
    status: 202,
    errors: ['not-found', 'already-exists', 'not-supported', 'unavailable'],
    changes: true,
  },
} as const satisfies Record<string, Endpoint>
