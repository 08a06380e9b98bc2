import * as fs from 'node:fs/promises'
import type { StatsFs } from 'node:fs'
import type { VolumeUsage } from '../volume-usage.ts'
import type { ImageFilesystem } from './image-filesystem.ts'
import type { LoopImage } from './loop-image.ts'

/** How full a filesystem is, as its superblock or statfs(2) has it. */
interface Fullness {
  readonly bytes: number
  readonly inodes: number
}

interface SuperblockForm {
  readonly at: number
  readonly read: (block: Buffer) => Fullness
  /** Inodes that are used in an empty filesystem, beside its root. */
  readonly ownInodes: number
}

const SIZE = 1024

/** Where a clean filesystem keeps count of itself: see <fs/ext4/ext4.h>, <fs/xfs/xfs_format.h>. */
const FORMS: Readonly<Record<ImageFilesystem, SuperblockForm>> = {
  ext4: {
    at: 1024,
    ownInodes: 9,
    read(block) {
      const wide = (low: number, high: number): number =>
        block.readUInt32LE(high) * 2 ** 32 + block.readUInt32LE(low)
      const blocks = wide(0x4, 0x150) - block.readUInt32LE(0x248)
      const size = 1024 << block.readUInt32LE(0x18)
      return {
        bytes: Math.max(blocks - wide(0xc, 0x158), 0) * size,
        inodes: block.readUInt32LE(0x0) - block.readUInt32LE(0x10),
      }
    },
  },
  xfs: {
    at: 0,
    ownInodes: 2,
    read(block) {
      const count = (at: number): number => Number(block.readBigUInt64BE(at))
      const blocks = count(8) - block.readUInt32BE(96)
      return {
        bytes: (blocks - count(144)) * block.readUInt32BE(4),
        inodes: count(128) - count(136),
      }
    },
  },
}

/**
 * How much the filesystem in `image` holds, by its own count: what it needs for
 * itself as it fills is part of that. `mounted` is what statfs(2) says of it, where
 * it is mounted; a filesystem at rest is asked for its superblock.
 */
export async function imageUsage(
  { path, filesystem }: LoopImage,
  mounted?: StatsFs,
): Promise<VolumeUsage> {
  const { ownInodes, at, read } = FORMS[filesystem]
  await using image = await fs.open(path, 'r')
  const { blocks } = await image.stat()
  const { buffer } = await image.read(Buffer.alloc(SIZE), 0, SIZE, at)
  const { bytes, inodes } =
    mounted === undefined ? read(buffer) : fullness(mounted)
  return { bytes, inodes: inodes - ownInodes, allocated: blocks * 512 }
}

function fullness({ blocks, bfree, bsize, files, ffree }: StatsFs): Fullness {
  return { bytes: (blocks - bfree) * bsize, inodes: files - ffree }
}
