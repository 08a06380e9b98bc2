import * as fs from 'node:fs'
import { removeTree } from '../archive/remove-tree.ts'
import { messageOf } from '../base/errors.ts'
import { serveCalls } from '../base/thread.ts'
import {
  MOUNTINFO,
  mountpointsBelow,
  mountpointsIn,
} from '../linux/mountinfo.ts'

/** A tree that was not deleted, or not wholly. */
type Failure = readonly [path: string, reason: string]

/** What the thread of `Removals` does. */
export type RemovalCalls = {
  /** The mountpoints below each of `paths`. */
  mountsBelow(paths: readonly string[]): readonly (readonly string[])[]
  remove(paths: readonly string[]): readonly Failure[]
}

serveCalls({
  mountsBelow(paths) {
    const mountpoints = mountpointsIn(fs.readFileSync(MOUNTINFO, 'utf8'))
    return paths.map((path) => mountpointsBelow(mountpoints, path))
  },

  remove(paths) {
    const failures: Failure[] = []
    for (const path of paths) {
      try {
        removeTree(path)
      } catch (error) {
        failures.push([path, messageOf(error)])
      }
    }
    return failures
  },
} satisfies RemovalCalls)
