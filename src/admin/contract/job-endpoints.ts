import { z } from 'zod'
import { type Endpoint, json, lines } from './endpoint.ts'
import { failureSchema } from './failure.ts'
import { timeSchema } from './values.ts'

export const progressSchema = z.object({
  done: z.number().nonnegative(),
  total: z
    .number()
    .nonnegative()
    .optional()
    .meta({ description: 'Absent while it is not known' }),
  unit: z.enum(['bytes', 'entries', 'steps']),
  doing: z
    .string()
    .optional()
    .meta({ description: 'What is at hand, for people' }),
})

/** Long work, from its start until some time after its end. */
export const jobSchema = z
  .object({
    id: z.string(),
    kind: z.string().meta({ description: 'Such as `export` or `clone`' }),
    subject: z.string().meta({ description: 'The name of what it works on' }),
    state: z.enum(['running', 'done', 'failed', 'cancelled']),
    progress: progressSchema,
    startedAt: timeSchema,
    endedAt: timeSchema.optional(),
    result: z.unknown().optional(),
    error: failureSchema.optional(),
    request: z.string(),
  })
  .meta({ id: 'Job' })

export type JobView = z.output<typeof jobSchema>

const jobParams = z.object({ job: z.string().regex(/^[\w-]+$/) })

export const jobEndpoints = {
  listJobs: {
    method: 'GET',
    path: '/jobs',
    summary: 'Long work that runs or has ended lately, the newest first',
    answer: json(z.array(jobSchema)),
    errors: [],
    changes: false,
  },
  inspectJob: {
    method: 'GET',
    path: '/jobs/{job}',
    summary: 'One job as it is now',
    params: jobParams,
    answer: json(jobSchema),
    errors: ['not-found'],
    changes: false,
  },
  followJob: {
    method: 'GET',
    path: '/jobs/{job}/progress',
    summary: 'A job as it goes on, until it has ended',
    params: jobParams,
    answer: lines(jobSchema),
    errors: ['not-found'],
    changes: false,
  },
  cancelJob: {
    method: 'DELETE',
    path: '/jobs/{job}',
    summary: 'Stops a job, and answers when it has ended',
    params: jobParams,
    answer: json(jobSchema),
    errors: ['not-found'],
    changes: true,
  },
} as const satisfies Record<string, Endpoint>
