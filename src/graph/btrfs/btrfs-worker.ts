import { serveCalls } from '../../base/thread.ts'
import {
  type Descent,
  directoriesTouchedSince,
  inodesSince,
} from '../../linux/btrfs-inodes.ts'
import type { LayerUsage } from '../layer-driver.ts'

/** What the thread of the driver looks up among the filesystem's own records. */
export type BtrfsCalls = {
  touched(descent: Descent): ReadonlySet<bigint>
  usage(tree: string, since: bigint): LayerUsage
}

serveCalls({
  touched: directoriesTouchedSince,

  usage(tree, since) {
    let bytes = 0
    let inodes = 0
    for (const inode of inodesSince(tree, since)) {
      bytes += inode.bytes
      inodes++
    }
    return { bytes, inodes }
  },
} satisfies BtrfsCalls)
