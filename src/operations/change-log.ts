import type { Log } from '../base/log.ts'
import { AuditLog } from './audit-log.ts'
import type { ChangeEvent } from './change-event.ts'
import { Feed } from './feed.ts'

/** Where every change is told: to the audit log, and to whoever follows. */
export class ChangeLog {
  readonly #audit: AuditLog
  readonly #log: Log
  readonly #feed = new Feed<ChangeEvent>()

  private constructor(audit: AuditLog, log: Log) {
    this.#audit = audit
    this.#log = log
  }

  /** @param directory Where the audit log is kept. */
  static async open(directory: string, log: Log): Promise<ChangeLog> {
    return new ChangeLog(await AuditLog.open(directory), log)
  }

  /** Settles when the audit log has it. Failing to write does not undo the change. */
  async record(event: ChangeEvent): Promise<void> {
    this.#feed.push(event)
    try {
      await this.#audit.append(event)
    } catch (error) {
      this.#log.error('Change not in the audit log', { ...event, error })
    }
  }

  /** The changes from now on, until `signal` is aborted. */
  follow(signal: AbortSignal): AsyncIterable<ChangeEvent> {
    return this.#feed.follow(signal)
  }

  /** The last `limit` changes, the oldest first. */
  tail(limit: number): Promise<readonly ChangeEvent[]> {
    return this.#audit.tail(limit)
  }

  async close(): Promise<void> {
    await this.#audit.close()
  }
}
