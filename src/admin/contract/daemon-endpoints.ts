import { z } from 'zod'
import { bytes, type Endpoint, json, lines } from './endpoint.ts'
import { ERROR_CODES } from './failure.ts'
import { timeSchema } from './values.ts'

export const LEVELS = ['error', 'warn', 'info', 'debug'] as const

/** Prometheus' own form of text. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Something that has changed. The audit log is made of these. */
export const eventSchema = z
  .object({
    time: timeSchema,
    operation: z.string().meta({
      description: 'As the API or Docker calls it: `createVolume`',
    }),
    subject: z.string().meta({ description: 'The name of what was changed' }),
    result: z.enum(['done', 'refused', 'failed']),
    code: z.enum(ERROR_CODES).optional(),
    message: z.string().optional(),
    caller: z
      .object({ pid: z.number(), uid: z.number(), gid: z.number() })
      .optional()
      .meta({ description: 'The process at the other end of the socket' }),
    front: z.enum(['admin', 'docker', 'daemon']),
    request: z.string().optional(),
    milliseconds: z.number().nonnegative(),
  })
  .meta({ id: 'Event' })

export type EventView = z.output<typeof eventSchema>

const healthSchema = z.object({
  isHealthy: z.boolean(),
  checks: z.array(
    z.object({
      name: z.string(),
      isGood: z.boolean(),
      detail: z.string().optional(),
    }),
  ),
})

const logLevelSchema = z.object({ level: z.enum(LEVELS) })

export const daemonEndpoints = {
  inspectDaemon: {
    method: 'GET',
    path: '/daemon',
    summary: 'Which Stowage this is, and how it is set',
    answer: json(
      z.object({
        version: z.string(),
        pid: z.number().int(),
        startedAt: timeSchema,
        node: z.string(),
        settings: z
          .record(z.string(), z.string())
          .meta({ description: 'By variable; never a secret' }),
        graph: z
          .object({ home: z.string(), driver: z.string() })
          .optional()
          .meta({ description: 'Absent until Docker has said Init' }),
      }),
    ),
    errors: [],
    changes: false,
  },
  checkHealth: {
    method: 'GET',
    path: '/health',
    summary:
      'Whether the daemon works: always answered, 200 also where it does not',
    answer: json(healthSchema),
    errors: [],
    changes: false,
  },
  checkReadiness: {
    method: 'GET',
    path: '/ready',
    summary: 'Whether all that was asked for is open; refused until then',
    answer: json(healthSchema),
    errors: ['unavailable'],
    changes: false,
  },
  readMetrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'All metrics as Prometheus text',
    answer: bytes(METRICS_TYPE),
    errors: [],
    changes: false,
  },
  describeApi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This API, described by OpenAPI 3.1',
    answer: json(z.looseObject({ openapi: z.string() })),
    errors: [],
    changes: false,
  },
  readLogLevel: {
    method: 'GET',
    path: '/log/level',
    summary: 'The least important lines that are logged',
    answer: json(logLevelSchema),
    errors: [],
    changes: false,
  },
  setLogLevel: {
    method: 'PUT',
    path: '/log/level',
    summary: 'Logs more or less from now on, until the daemon ends',
    body: logLevelSchema,
    answer: json(logLevelSchema),
    errors: [],
    changes: true,
  },
  followEvents: {
    method: 'GET',
    path: '/events',
    summary: 'What changes from now on, one line each, as it happens',
    answer: lines(eventSchema),
    errors: [],
    changes: false,
  },
  readAudit: {
    method: 'GET',
    path: '/audit',
    summary: 'The last changes that the audit log has, the oldest first',
    query: z.object({
      limit: z.coerce.number().int().min(1).max(10_000).default(100),
    }),
    answer: lines(eventSchema),
    errors: [],
    changes: false,
  },
} as const satisfies Record<string, Endpoint>
