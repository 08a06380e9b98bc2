import { removeTree } from '../archive/remove-tree.ts'
import { type TreeUsage, usageOf } from '../archive/tree-usage.ts'
import { serveCalls } from '../base/thread.ts'

/** What the threads of a store do with whole trees. */
export type StoreCalls = {
  usage(root: string): TreeUsage
  remove(root: string): void
}

serveCalls({ usage: usageOf, remove: removeTree } satisfies StoreCalls)
