import { z } from 'zod'

/**
 * The codes of refusals and failures. They are for programs, and stay what they
 * are; the message beside them is for people, and may improve.
 */
export const ERROR_CODES = [
  'already-exists',
  'in-use',
  'invalid-argument',
  'not-found',
  'not-supported',
  'unavailable',
  'unknown-endpoint',
  'cancelled',
  'internal',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** The HTTP status that goes with each code. */
export const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  'already-exists': 409,
  'in-use': 409,
  'invalid-argument': 400,
  'not-found': 404,
  'not-supported': 422,
  unavailable: 503,
  'unknown-endpoint': 404,
  cancelled: 409,
  internal: 500,
}

/** What any endpoint may answer. */
export const EVERYWHERE: readonly ErrorCode[] = ['invalid-argument', 'internal']

export const failureSchema = z.object({
  code: z.enum(ERROR_CODES),
  message: z.string().meta({ description: 'What failed, on what, and why' }),
  causes: z
    .array(z.string())
    .meta({ description: 'What lies behind it, the nearest first' }),
  hint: z.string().optional().meta({ description: 'What to do about it' }),
  holders: z
    .array(z.string())
    .optional()
    .meta({ description: 'Who is in the way: mount ids' }),
  request: z
    .string()
    .meta({ description: 'The id that the log and the audit log know it by' }),
})

/** Why a request was refused, or a job has failed. */
export type Failure = z.output<typeof failureSchema>

/** The body of every answer that is not a success. */
export const failureBodySchema = z.object({ error: failureSchema })
