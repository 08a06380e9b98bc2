import { z } from 'zod'
import { type Endpoint, json, NOTHING } from './endpoint.ts'
import { nameSchema, timeSchema } from './values.ts'

const cronSchema = z
  .string()
  .min(1)
  .meta({ description: 'Minute hour day month weekday, such as `0 * * * *`' })

const keepSchema = z.string().min(1).meta({
  description:
    'Which are kept: `4h:1d:2w` is all of the last 4 hours, one for each 4 hours of the last day, one for each day of the last 2 weeks, and none that is older',
})

const lastRunSchema = z.object({
  at: timeSchema,
  created: z.array(z.string()),
  deleted: z.array(z.string()),
  failures: z.array(z.string()),
})

export const scheduleSchema = z
  .object({
    name: nameSchema,
    volumes: z
      .array(z.string())
      .meta({ description: 'Names; `*` stands for any letters' }),
    cron: cronSchema,
    keep: keepSchema,
    next: timeSchema.optional(),
    last: lastRunSchema.optional(),
  })
  .meta({ id: 'Schedule' })

/** What one run would do, or did. */
export const scheduleRunSchema = z
  .object({
    isDryRun: z.boolean(),
    volumes: z.array(
      z.object({
        volume: nameSchema,
        create: nameSchema.optional(),
        keep: z.array(nameSchema),
        delete: z.array(nameSchema),
        failure: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'ScheduleRun' })

export type ScheduleView = z.output<typeof scheduleSchema>
export type ScheduleRunView = z.output<typeof scheduleRunSchema>

const scheduleParams = z.object({ schedule: nameSchema })

export const scheduleEndpoints = {
  listSchedules: {
    method: 'GET',
    path: '/schedules',
    summary: 'The schedules of snapshots by name',
    answer: json(z.array(scheduleSchema)),
    errors: [],
    changes: false,
  },
  setSchedule: {
    method: 'PUT',
    path: '/schedules/{schedule}',
    summary: 'Makes a schedule of snapshots, or replaces the one of that name',
    params: scheduleParams,
    body: z.object({
      volumes: z.array(z.string().min(1)).min(1),
      cron: cronSchema,
      keep: keepSchema,
    }),
    answer: json(scheduleSchema),
    errors: [],
    changes: true,
  },
  removeSchedule: {
    method: 'DELETE',
    path: '/schedules/{schedule}',
    summary: 'Ends a schedule; its snapshots stay',
    params: scheduleParams,
    answer: NOTHING,
    status: 204,
    errors: ['not-found'],
    changes: true,
  },
  runSchedule: {
    method: 'POST',
    path: '/schedules/{schedule}/run',
    summary: 'Runs a schedule now, or tells what a run would do',
    params: scheduleParams,
    body: z.object({ isDryRun: z.boolean().default(false) }),
    answer: json(scheduleRunSchema),
    errors: ['not-found', 'unavailable'],
    changes: true,
  },
} as const satisfies Record<string, Endpoint>
