import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clearAway } from './clear-away.ts'

/** For suites that would wait for a disk, and say nothing about disks. */
export const SHARED_MEMORY = '/dev/shm'

/** A directory of the test that runs now. */
export interface TempDir {
  readonly path: string
}

/**
 * Gives each test of the suite an empty directory. It goes, with all its mounts,
 * when the next test begins or the suite ends: by then the suite's own hooks have
 * closed what they opened there, in whatever order they were declared.
 */
export function useTempDir(parent: () => string = tmpdir): TempDir {
  let path = ''
  beforeEach(async () => {
    await clearAway(path)
    path = await fs.mkdtemp(join(parent(), 'stowage-test-'))
  })
  after(() => clearAway(path))
  return {
    get path() {
      return path
    },
  }
}
