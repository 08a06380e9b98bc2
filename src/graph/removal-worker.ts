import * as fs from 'node:fs'
import { removeTree } from '../archive/remove-tree.ts'
import { serveCalls } from '../base/thread.ts'
import { MOUNTINFO, mountpointsIn } from '../linux/mountinfo.ts'

/** What the thread of `Removals` does. */
export type RemovalCalls = {
  mountsBelow(path: string): readonly string[]
  remove(path: string): void
}

serveCalls({
  mountsBelow: (path) =>
    mountpointsIn(fs.readFileSync(MOUNTINFO, 'utf8'), path),
  remove: removeTree,
} satisfies RemovalCalls)
