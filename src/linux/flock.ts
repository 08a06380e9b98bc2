import * as fs from 'node:fs/promises'
import { isErrno } from '../base/errors.ts'
import { declare } from './libc.ts'

const LOCK_EX = 2
const LOCK_NB = 4

const flock = declare('flock', ['int', 'int'])

/** A lock that ends with `release`, or with the process, however that ends. */
export interface FileLock {
  release(): Promise<void>
}

/**
 * Takes the exclusive flock(2) of `path`, creating the file if need be, or
 * answers `undefined` at once where another open file holds it.
 *
 * The lock belongs to the open file, so two takers in one process exclude each
 * other too, and the kernel frees it at death: no lock is ever left behind.
 */
export async function tryLock(path: string): Promise<FileLock | undefined> {
  const file = await fs.open(path, 'a', 0o600)
  try {
    flock(file.fd, LOCK_EX | LOCK_NB)
  } catch (error) {
    await file.close()
    if (isErrno(error, 'EAGAIN', 'EWOULDBLOCK')) return undefined
    throw error
  }
  return { release: () => file.close() }
}
