import { randomBytes } from 'node:crypto'
import { ended } from '../base/ended.ts'
import { asError, NotFoundError } from '../base/errors.ts'
import { currentRequestId } from '../base/request-id.ts'
import { Feed } from './feed.ts'
import type { Job, JobState, JobSubject, Progress, Working } from './job.ts'

/** How many ended jobs can still be asked for. */
const REMEMBERED = 100

/** Between two reports of one job's progress, in milliseconds. */
const REPORT_PAUSE = 100

interface Entry {
  job: Job
  readonly cancelling: AbortController
  ended: Promise<unknown>
  reportedAt: number
}

/**
 * Long work that goes on by itself: it can be watched, and cancelled, and what came
 * of it is known for some time after its end.
 *
 * Jobs are in memory. What a killed process leaves of them is for the work's own
 * place on disk to sweep.
 */
export class Jobs {
  readonly #entries = new Map<string, Entry>()
  readonly #feed = new Feed<Job>()

  /** Begins `work`, and answers while it goes on. */
  start(
    subject: JobSubject,
    work: (working: Working) => Promise<unknown>,
  ): Job {
    const entry = this.#enter(subject)
    entry.ended = this.#finish(entry, work)
    // Its outcome is kept in the job, for those who ask.
    void ended(entry.ended)
    return entry.job
  }

  /** Does `work` as a job that its caller waits for, and answers its result. */
  async run<T>(
    subject: JobSubject,
    work: (working: Working) => Promise<T>,
  ): Promise<T> {
    const entry = this.#enter(subject)
    const result = this.#finish(entry, work)
    entry.ended = result
    return result
  }

  /** All that runs, and what has ended lately, the newest first. */
  list(): readonly Job[] {
    return [...this.#entries.values()].map(({ job }) => job).toReversed()
  }

  /** @throws NotFoundError for one that never was, or ended long ago. */
  get(id: string): Job {
    return this.#entry(id).job
  }

  /** The job now, whenever it is further, and when it has ended; then no more. */
  async *follow(id: string, signal: AbortSignal): AsyncGenerator<Job, void> {
    const leaving = new AbortController()
    const updates = this.#feed.follow(AbortSignal.any([signal, leaving.signal]))
    try {
      const { job } = this.#entry(id)
      yield job
      if (job.state !== 'running') return
      for await (const update of updates) {
        if (update.id !== id) continue
        yield update
        if (update.state !== 'running') return
      }
    } finally {
      leaving.abort()
    }
  }

  /** Asks the job to stop, and answers when it has ended, however it did. */
  async cancel(id: string): Promise<Job> {
    const entry = this.#entry(id)
    entry.cancelling.abort()
    await ended(entry.ended)
    return entry.job
  }

  /** Cancels all that runs, and waits for its end. */
  async close(): Promise<void> {
    for (const id of this.#entries.keys()) await this.cancel(id)
  }

  #enter({ kind, subject, unit = 'bytes' }: JobSubject): Entry {
    const job: Job = {
      id: randomBytes(6).toString('hex'),
      kind,
      subject,
      state: 'running',
      progress: { done: 0, unit },
      startedAt: new Date().toISOString(),
      request: currentRequestId() ?? '',
    }
    const cancelling = new AbortController()
    const entry = { job, cancelling, ended: Promise.resolve(), reportedAt: 0 }
    this.#entries.set(job.id, entry)
    this.#forgetOld()
    return entry
  }

  async #finish<T>(
    entry: Entry,
    work: (working: Working) => Promise<T>,
  ): Promise<T> {
    const { signal } = entry.cancelling
    const progress = (now: Progress): void => this.#advance(entry, now)
    try {
      const result = await work({ id: entry.job.id, signal, progress })
      this.#end(entry, { state: 'done', result })
      return result
    } catch (error) {
      const failure = asError(error)
      const isCancelled = signal.aborted || failure.name === 'AbortError'
      const state = isCancelled ? 'cancelled' : 'failed'
      this.#end(entry, { state, error: failure })
      throw error
    }
  }

  #advance(entry: Entry, progress: Progress): void {
    if (entry.job.state !== 'running') return
    entry.job = { ...entry.job, progress }
    const now = performance.now()
    if (now - entry.reportedAt < REPORT_PAUSE) return
    entry.reportedAt = now
    this.#feed.push(entry.job)
  }

  #end(
    entry: Entry,
    outcome: {
      readonly state: JobState
      readonly result?: unknown
      readonly error?: Error
    },
  ): void {
    const endedAt = new Date().toISOString()
    entry.job = { ...entry.job, ...outcome, endedAt }
    this.#feed.push(entry.job)
  }

  #forgetOld(): void {
    let surplus = this.#entries.size - REMEMBERED
    for (const [id, { job }] of this.#entries) {
      if (surplus <= 0) return
      if (job.state === 'running') continue
      this.#entries.delete(id)
      surplus--
    }
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id)
    if (entry !== undefined) return entry
    throw new NotFoundError(`Job "${id}" does not exist, or ended long ago`)
  }
}
