import * as fs from 'node:fs/promises'
import { ioctlNumber, requestCode } from './ioctl.ts'

const FAMILY = 'X'.charCodeAt(0)
const FIFREEZE = requestCode('both', FAMILY, 119, 4)
const FITHAW = requestCode('both', FAMILY, 120, 4)

/**
 * Brings the filesystem mounted at `path` to rest: what was written is on disk in
 * a state that mounts cleanly, and writers wait until `thaw`.
 *
 * A process that dies leaves it frozen. The caller thaws on every way out, and at
 * its next start. Freezing twice fails with EBUSY.
 */
export async function freeze(path: string): Promise<void> {
  await using directory = await fs.open(path, 'r')
  await ioctlNumber.later(directory.fd, FIFREEZE, 0)
}

/** Lets writers go on. What is not frozen fails with EINVAL. */
export async function thaw(path: string): Promise<void> {
  await using directory = await fs.open(path, 'r')
  await ioctlNumber.later(directory.fd, FITHAW, 0)
}
