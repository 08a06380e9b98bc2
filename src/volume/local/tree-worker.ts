import { copyTree } from '../../archive/copy-tree.ts'
import { serveCalls } from '../../base/thread.ts'

/** What the thread that copies a volume does. */
export type TreeCalls = {
  copy(source: string, target: string): void
}

serveCalls({ copy: copyTree } satisfies TreeCalls)
