import { existsSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '../base/errors.ts'
import { deleteSubvolume, isSubvolume } from '../linux/btrfs.ts'
import { filesystemOf } from '../linux/fs-magic.ts'
import { unmountBelow } from '../linux/unmount-below.ts'

/** Deletes `directory` with whatever is mounted in it, if it is still there. */
export async function clearAway(directory: string): Promise<void> {
  if (!existsSync(directory)) return
  await unmountBelow(directory)
  if ((await filesystemOf(directory)) === 'btrfs') {
    await deleteSubvolumes(directory)
  }
  await fs.rm(directory, { recursive: true, force: true, maxRetries: 9 })
}

/**
 * A subvolume may be read-only, and then nothing in it can be removed. What a driver
 * that is still at it removes meanwhile is no loss.
 */
async function deleteSubvolumes(directory: string): Promise<void> {
  try {
    if (await isSubvolume(directory)) {
      await deleteSubvolume(directory)
      return
    }
    const entries = await fs.readdir(directory, { withFileTypes: true })
    for (const entry of entries) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) await deleteSubvolumes(path)
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}
