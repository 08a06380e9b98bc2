import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
    await fs.rm(path, { recursive: true, force: true })
  })
  return {
    get path() {
      return path
    },
  }
}
