import { removeTree } from '../archive/remove-tree.ts'
import { serveCalls } from '../base/thread.ts'

/** What the thread of `Removals` does. */
export type RemovalCalls = {
  remove(path: string): void
}

serveCalls({ remove: removeTree } satisfies RemovalCalls)
