import { availableParallelism } from 'node:os'
import type { Readable } from 'node:stream'
import { asError, isErrno } from '../base/errors.ts'
import { Pool } from '../base/pool.ts'
import { Thread } from '../base/thread.ts'
import type { ApplyCalls, ApplyJob } from './apply-job.ts'
import {
  allocateRing,
  RING_CUT,
  RingWriter,
  type SharedRing,
} from './byte-ring.ts'
import { Lane } from './lane.ts'
import { feedRing } from './ring-feed.ts'

/** A second lane halves the time of many small files; a third finds little to do. */
const LANES = Math.min(availableParallelism(), 2)
/** A pull applies one layer after the other; a few at once keep all processors busy. */
const CREWS = 4

const crews = new Pool({
  make: () => new Crew(LANES),
  end: (crew) => crew.close(),
  size: CREWS,
})

/** What is applied, apart from what each lane is told of its own. */
export type CrewJob = Omit<ApplyJob, 'ring' | 'progress' | 'lane'>

/**
 * Applies `tar` on threads that do nothing else, and reads it to its very end: if
 * they fail the rest is read past, because whoever sends it hears of it only then.
 */
export async function applyInCrew(
  job: CrewJob,
  tar: Readable,
  signal?: AbortSignal,
): Promise<number> {
  return crews.use((crew) => crew.apply(job, tar, signal))
}

/** Threads that share a ring, and go through the same layer side by side. */
class Crew {
  readonly #ring: SharedRing
  readonly #threads: readonly Thread<ApplyCalls>[]

  constructor(lanes: number) {
    this.#ring = allocateRing(lanes)
    const module = new URL('apply-worker.js', import.meta.url)
    this.#threads = Array.from({ length: lanes }, () => new Thread(module))
  }

  async apply(
    job: CrewJob,
    tar: Readable,
    signal?: AbortSignal,
  ): Promise<number> {
    const writer = new RingWriter(this.#ring)
    const [[source], outcomes] = await Promise.all([
      Promise.allSettled([feedRing(tar, writer, signal)]),
      this.#run(job, writer),
    ])
    return totalOf(outcomes, source)
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()))
  }

  /** What comes in one go is little, and waking a second thread would take longer. */
  async #run(
    job: CrewJob,
    writer: RingWriter,
  ): Promise<readonly PromiseSettledResult<number>[]> {
    await writer.begun
    const threads = this.#threads.slice(0, writer.isEnded ? 1 : undefined)
    const shared = {
      ring: this.#ring,
      progress: new SharedArrayBuffer(Lane.SHARED_BYTES * threads.length),
    }
    return Promise.allSettled(
      threads.map(async (thread, lane) => {
        try {
          return await thread.call('apply', { ...job, ...shared, lane })
        } catch (error) {
          // A lane that fails has cut the ring itself; one that died has not.
          writer.cut()
          throw error
        }
      }),
    )
  }
}

/** @throws what went wrong first, not what only followed from it. */
function totalOf(
  lanes: readonly PromiseSettledResult<number>[],
  source: PromiseSettledResult<void>,
): number {
  let bytes = 0
  for (const outcome of [...lanes, source]) {
    if (outcome.status === 'fulfilled') bytes += outcome.value ?? 0
    else if (!isErrno(outcome.reason, RING_CUT)) throw asError(outcome.reason)
  }
  return bytes
}
