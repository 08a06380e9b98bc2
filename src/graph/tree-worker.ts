import { copyTree } from '../archive/copy-tree.ts'
import { type TreeUsage, usageOf } from '../archive/tree-usage.ts'
import { serveCalls } from '../base/thread.ts'

/** What the thread of a driver does with whole trees. */
export type TreeCalls = {
  copy(source: string, target: string): void
  usage(root: string): TreeUsage
}

serveCalls({ copy: copyTree, usage: usageOf } satisfies TreeCalls)
