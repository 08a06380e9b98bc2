import { availableParallelism } from 'node:os'
import type { Readable } from 'node:stream'
import { asError, isErrno } from '../base/errors.ts'
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
/** Crews that wait for the next layer; a pull applies one after the other. */
const MAX_IDLE = 2

const idle = new Map<number, Crew[]>()

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
  // What shows from below depends on all that came before: one lane knows it.
  const lanes = job.lowers === undefined || job.lowers.length === 0 ? LANES : 1
  const waiting = idle.get(lanes) ?? []
  idle.set(lanes, waiting)
  const crew = waiting.pop() ?? new Crew(lanes)
  try {
    return await crew.apply(job, tar, signal)
  } finally {
    if (waiting.length < MAX_IDLE) waiting.push(crew)
    else await crew.close()
  }
}

/** Threads that share a ring, and go through the same layer side by side. */
class Crew {
  readonly #ring: SharedRing
  readonly #progress: SharedArrayBuffer
  readonly #threads: readonly Thread<ApplyCalls>[]

  constructor(lanes: number) {
    this.#ring = allocateRing(lanes)
    this.#progress = new SharedArrayBuffer(Lane.SHARED_BYTES * lanes)
    const module = new URL('apply-worker.js', import.meta.url)
    this.#threads = Array.from({ length: lanes }, () => new Thread(module))
  }

  async apply(
    job: CrewJob,
    tar: Readable,
    signal?: AbortSignal,
  ): Promise<number> {
    const writer = new RingWriter(this.#ring)
    new Int32Array(this.#progress).fill(0)
    const lanes = this.#threads.map((thread, lane) =>
      this.#start(thread, { ...job, lane }, writer),
    )
    const [source, ...outcomes] = await Promise.allSettled([
      feedRing(tar, writer, signal),
      ...lanes,
    ])
    return totalOf(outcomes, source)
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()))
  }

  async #start(
    thread: Thread<ApplyCalls>,
    job: CrewJob & { readonly lane: number },
    writer: RingWriter,
  ): Promise<number> {
    try {
      const [ring, progress] = [this.#ring, this.#progress]
      return await thread.call('apply', { ...job, ring, progress })
    } catch (error) {
      // A lane that fails has cut the ring itself; one that died has not.
      writer.cut()
      throw error
    }
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
