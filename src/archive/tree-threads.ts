import { Pool } from '../base/pool.ts'
import { createRing, type RingMemory } from '../base/ring.ts'
import { Thread } from '../base/thread.ts'
import type { TreeCalls } from './tree-worker.ts'

/** A thread that reads trees, and the ring that it writes to. */
export interface TreeThread {
  readonly thread: Thread<TreeCalls>
  readonly memory: RingMemory
}

/**
 * The threads that read trees. Each costs some megabytes, and some of them keep all
 * processors busy; a diff that nobody reads on keeps its own.
 */
export const treeThreads = new Pool<TreeThread>({
  make: () => ({
    thread: new Thread(new URL('tree-worker.js', import.meta.url)),
    memory: createRing(),
  }),
  end: ({ thread }) => thread.close(),
  size: 4,
})
