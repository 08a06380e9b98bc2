import {
  createLogger,
  format,
  type Logger as Winston,
  transports,
} from 'winston'
import { StowageError } from './base/errors.ts'
import { redactedText } from './diagnosis/redaction.ts'
import type { Log, LogFields } from './base/log.ts'
import { currentRequestId } from './base/request-id.ts'

/** From the fewest lines to the most. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export const LOG_FORMATS = ['json', 'text'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

export interface LoggerOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  readonly stream: NodeJS.WritableStream
}

/**
 * The log of the whole daemon: a line of JSON or of text for each message, with
 * the id of the request that it was written for. Its level may change at any time.
 */
export class Logger implements Log {
  readonly #winston: Winston
  readonly #fields: LogFields

  private constructor(winston: Winston, fields: LogFields) {
    this.#winston = winston
    this.#fields = fields
  }

  static open({ level, format: form, stream }: LoggerOptions): Logger {
    const winston = createLogger({
      level,
      levels: Object.fromEntries(LOG_LEVELS.map((name, rank) => [name, rank])),
      format: format.printf(form === 'json' ? jsonLine : textLine),
      transports: [new transports.Stream({ stream, eol: '\n' })],
    })
    return new Logger(winston, {})
  }

  get level(): LogLevel {
    const { level } = this.#winston
    return LOG_LEVELS.find((name) => name === level) ?? 'info'
  }

  set level(level: LogLevel) {
    this.#winston.level = level
  }

  error(message: string, fields: LogFields = {}): void {
    this.#write('error', message, fields)
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#write('warn', message, fields)
  }

  info(message: string, fields: LogFields = {}): void {
    this.#write('info', message, fields)
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#write('debug', message, fields)
  }

  child(fields: LogFields): Logger {
    return new Logger(this.#winston, { ...this.#fields, ...fields })
  }

  #write(level: LogLevel, message: string, fields: LogFields): void {
    if (!this.#winston.isLevelEnabled(level)) return
    const request = currentRequestId()
    this.#winston.log({
      level,
      message,
      fields: {
        ...(request === undefined ? {} : { request }),
        ...this.#fields,
        ...fields,
      },
    })
  }
}

type Line = Readonly<Record<string, unknown>>

function jsonLine({ level, message, fields }: Line): string {
  const head = { time: new Date().toISOString(), level, message }
  // First for the eye, and last so that no field takes their place.
  return JSON.stringify({ ...head, ...Object(fields), ...head }, readable)
}

function textLine({ level, message, fields }: Line): string {
  const data = Object.entries(Object(fields)).map(
    ([name, value]) => `${name}=${JSON.stringify(value, readable)}`,
  )
  return [new Date().toISOString(), level, message, ...data].join(' ')
}

/** JSON leaves errors empty and refuses big integers. */
function readable(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (!(value instanceof Error)) return value
  const { name, message, cause, stack } = value
  // Where an error of ours was thrown is of no use to whoever reads it.
  // What it refuses was typed by somebody, who may have typed a secret.
  if (value instanceof StowageError) {
    return { name, message: redactedText(message), cause }
  }
  return { ...Object.fromEntries(Object.entries(value)), message, cause, stack }
}
