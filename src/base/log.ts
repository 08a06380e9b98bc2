/** Data that goes with a log line, each under its own name. */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * Where the parts of Stowage say what happens.
 *
 * The message is a constant phrase and the data are fields, so that lines can be
 * counted and searched. `error`: someone must act. `warn`: repaired or skipped.
 * `info`: the life of the daemon, and requests refused. `debug`: every request.
 */
export interface Log {
  error(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void

  /** A log that adds `fields` to each of its lines. */
  child(fields: LogFields): Log
}

/** For those who have nobody to tell. */
export const SILENT: Log = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => SILENT,
}
