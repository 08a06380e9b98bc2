import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import lockfile from 'proper-lockfile'
import { InUseError, isErrno } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { tryLock } from '../linux/flock.ts'

/**
 * One daemon for each directory. Two locks say so:
 *
 *     <directory>/lock         flock(2): the truth. The kernel frees it at death.
 *     <directory>/lock.lease/  proper-lockfile: the visible lease, for those who
 *                              look at a shared filesystem from another host
 *
 * A lease alone would not do: a process stopped for ten seconds loses it while
 * alive, and after a kill it stands in the way for ten more.
 */
const LOCK = 'lock'
const LEASE = 'lock.lease'

export interface RootLock {
  release(): Promise<void>
}

/** @throws InUseError when another process has `directory`. */
export async function lockRoot(directory: string, log: Log): Promise<RootLock> {
  const path = join(directory, LOCK)
  const flock = await tryLock(path)
  if (flock === undefined) {
    throw new InUseError(
      `"${directory}" is in use by another Stowage: stop it, or choose another directory`,
    )
  }
  const lease = new Lease(path, join(directory, LEASE), log)
  try {
    await lease.take()
  } catch (error) {
    await flock.release()
    throw error
  }
  return {
    async release() {
      await lease.release()
      await flock.release()
    },
  }
}

class Lease {
  readonly #file: string
  readonly #directory: string
  readonly #log: Log
  #release: (() => Promise<void>) | undefined

  constructor(file: string, directory: string, log: Log) {
    this.#file = file
    this.#directory = directory
    this.#log = log
  }

  /** Only the holder of the flock comes here, so a lease that stands is a leftover. */
  async take(): Promise<void> {
    await fs.rm(this.#directory, { recursive: true, force: true })
    this.#release = await lockfile.lock(this.#file, {
      lockfilePath: this.#directory,
      realpath: false,
      onCompromised: (error) => {
        this.#log.warn('Lease lost and taken again', { error })
        this.#release = undefined
        void this.#retake()
      },
    })
    // It was made with what the umask leaves of 0777, for anybody to write into.
    await fs.chmod(this.#directory, 0o700)
  }

  async release(): Promise<void> {
    try {
      await this.#release?.()
    } catch (error) {
      // A lease that somebody swept away is released already.
      if (!isErrno(error, 'ENOTACQUIRED', 'ERELEASED')) throw error
    }
  }

  async #retake(): Promise<void> {
    try {
      await this.take()
    } catch (error) {
      this.#log.error('Lease cannot be taken', { error })
    }
  }
}
