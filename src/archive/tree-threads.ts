import { createRing, type RingMemory } from '../base/ring.ts'
import { Thread } from '../base/thread.ts'
import type { TreeCalls } from './tree-worker.ts'

/** A thread that reads trees, and the ring that it writes to. */
export interface TreeThread {
  readonly thread: Thread<TreeCalls>
  readonly memory: RingMemory
}

/** Threads that wait for the next tree. More than these are let go. */
const MOST_IDLE = 2

const idle: TreeThread[] = []

/**
 * Lends a thread for one task. There are as many as there are tasks at once: a diff
 * that nobody reads on keeps its own, and nobody else waits for it.
 */
export function borrowThread(): TreeThread {
  return (
    idle.pop() ?? {
      thread: new Thread(new URL('tree-worker.js', import.meta.url)),
      memory: createRing(),
    }
  )
}

/** Takes back a thread whose task is over. */
export async function returnThread(lent: TreeThread): Promise<void> {
  if (idle.length < MOST_IDLE) idle.push(lent)
  else await lent.thread.close()
}
