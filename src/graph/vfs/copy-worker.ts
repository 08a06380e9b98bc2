import { copyTree } from '../../archive/copy-tree.ts'
import { serveCalls } from '../../base/thread.ts'
import { usageOf } from '../../archive/tree-usage.ts'

/** What the thread of the vfs driver does. */
export type CopyCalls = {
  copy(source: string, target: string): void
  usage(root: string): { bytes: number; inodes: number }
}

serveCalls({ copy: copyTree, usage: usageOf } satisfies CopyCalls)
