import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isErrno } from '../../src/base/errors.ts'
import { deleteSubvolume, isSubvolume } from '../../src/linux/btrfs.ts'
import { filesystemOf } from '../../src/linux/fs-magic.ts'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { unmount } from '../../src/linux/mount.ts'

/** A directory of the test that runs now. */
export interface TempDir {
  readonly path: string
}

/** Gives each test of the suite an empty directory, gone with all its mounts after it. */
export function useTempDir(parent: () => string = tmpdir): TempDir {
  let path = ''
  beforeEach(async () => {
    path = await fs.mkdtemp(join(parent(), 'stowage-test-'))
  })
  afterEach(async () => {
    for (const mountpoint of await mountsBelow(path)) await unmount(mountpoint)
    if ((await filesystemOf(path)) === 'btrfs') await deleteSubvolumes(path)
    // A driver that is still at it may rename things in it meanwhile.
    await fs.rm(path, { recursive: true, force: true, maxRetries: 9 })
  })
  return {
    get path() {
      return path
    },
  }
}

/**
 * A subvolume may be read-only, and then nothing in it can be removed. What is
 * removed meanwhile by a driver that is still at it is no loss.
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
