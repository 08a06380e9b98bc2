import { type RingMemory, RingCancelled, RingWriter } from '../base/ring.ts'
import { serveCalls } from '../base/thread.ts'
import { ChangeRecords } from './change-records.ts'
import { bytesOfChanges } from './change-count.ts'
import { openPack, type PackJob } from './pack-job.ts'
import type { PathString } from './path-bytes.ts'
import { openWalk, type TreeSource } from './tree-source.ts'

/** What a tar lacks, and why. */
export type Omitted = readonly [path: PathString, reason: string]

/** What threads do that read trees: nothing in them waits for the main thread's turn. */
const calls = {
  /** Writes a tar into the ring, and answers what is not in it. */
  pack(job: PackJob, memory: RingMemory): readonly Omitted[] {
    const omitted: Omitted[] = []
    const writer = new RingWriter(memory)
    const omit = (path: PathString, reason: string): void => {
      if (omitted.length < MOST_OMITTED) omitted.push([path, reason])
    }
    untilCancelled(() => {
      using opened = openPack(job, omit, () => writer.check())
      writer.run((target) => opened.packer.fill(target))
    })
    return omitted
  },

  /** Writes the changes into the ring. */
  changes(source: TreeSource, memory: RingMemory): void {
    const writer = new RingWriter(memory)
    untilCancelled(() => {
      using opened = openWalk(source, { check: () => writer.check() })
      const records = new ChangeRecords(opened.walk)
      writer.run((target) => records.fill(target))
    })
  },

  size: bytesOfChanges,
}

export type TreeCalls = typeof calls

/** Enough to show what is wrong; a million sockets need not all be named. */
const MOST_OMITTED = 1000

serveCalls(calls)

function untilCancelled(task: () => void): void {
  try {
    task()
  } catch (error) {
    if (!(error instanceof RingCancelled)) throw error
  }
}
