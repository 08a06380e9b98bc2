/** How far some work is. */
export interface Progress {
  readonly done: number
  /** Not known to all work, nor from the start. */
  readonly total?: number
  readonly unit: 'bytes' | 'entries' | 'steps'
  /** What is at hand, for people. */
  readonly doing?: string
}

export type JobState = 'running' | 'done' | 'failed' | 'cancelled'

/** Long work as it is at one moment. */
export interface Job {
  readonly id: string
  /** What is done, such as `export`. */
  readonly kind: string
  /** The name of what it is done to. */
  readonly subject: string
  readonly state: JobState
  readonly progress: Progress
  readonly startedAt: string
  readonly endedAt?: string
  /** What came of it. */
  readonly result?: unknown
  /** Why it failed. */
  readonly error?: unknown
  /** The request that began it. */
  readonly request: string
}

/** What a job's own work has of it. */
export interface Working {
  readonly id: string
  /** Aborted when the job is cancelled. */
  readonly signal: AbortSignal
  /** Says how far it is. */
  readonly progress: (progress: Progress) => void
}

export interface JobSubject {
  readonly kind: string
  readonly subject: string
  readonly unit?: Progress['unit']
}
