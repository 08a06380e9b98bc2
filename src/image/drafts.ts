import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '../base/errors.ts'
import type { LayerId } from '../graph/driver.ts'
import { type FileLock, tryLock } from '../linux/flock.ts'
import { syncDirectory, writeFileAtomic } from '../state/atomic-file.ts'
import { exists, namesIn } from '../state/listing.ts'
import { formatRecord } from './image-record.ts'
import { DRAFTS, LOCK } from './layout.ts'

/**
 * Things in the making: each a directory that is renamed into place when it is
 * whole, and a layer of the driver by the same name, see `layout.ts`.
 */
export class Drafts {
  readonly #directory: string

  constructor(root: string) {
    this.#directory = join(root, DRAFTS)
  }

  /** A draft under a name of its own, which its lock says that somebody makes. */
  async begin(): Promise<Draft> {
    for (;;) {
      const layer = randomBytes(16).toString('hex')
      const path = join(this.#directory, layer)
      await fs.mkdir(path, { mode: 0o700 })
      const lock = await lockOf(path)
      // Without a lock, or a path, a sweep took it for a leftover in between.
      if (lock !== undefined && (await exists(path))) {
        return new Draft(layer, path, lock)
      }
      await lock?.release()
    }
  }

  /**
   * Clears away what no living maker has locked, its layer first: should that
   * fail, the draft is still there for the next sweep.
   */
  async sweep(removeLayer: (layer: LayerId) => Promise<void>): Promise<number> {
    let swept = 0
    for (const layer of await namesIn(this.#directory)) {
      const path = join(this.#directory, layer)
      const lock = await lockOf(path)
      if (lock === undefined) continue
      try {
        await removeLayer(layer)
        await fs.rm(path, { recursive: true, force: true })
        swept++
      } finally {
        await lock.release()
      }
    }
    return swept
  }
}

export class Draft {
  readonly layer: LayerId
  readonly path: string
  readonly #lock: FileLock

  constructor(layer: LayerId, path: string, lock: FileLock) {
    this.layer = layer
    this.path = path
    this.#lock = lock
  }

  /** Writes a record of the draft, which outlives a power cut. */
  async write(name: string, record: object): Promise<void> {
    await writeFileAtomic(join(this.path, name), formatRecord(record))
  }

  /**
   * Makes the draft what is at `target`, if nothing is there yet, and answers
   * whether it did. Which of two makers is first is for rename(2) to decide: it
   * does not replace a directory that has something in it.
   */
  async publish(target: string): Promise<boolean> {
    try {
      await fs.rename(this.path, target)
    } catch (error) {
      if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return false
      throw error
    }
    await syncDirectory(join(target, '..'))
    await this.#lock.release()
    return true
  }

  /** Clears the draft away, and its layer before it. */
  async abandon(removeLayer: (layer: LayerId) => Promise<void>): Promise<void> {
    try {
      await removeLayer(this.layer)
      await fs.rm(this.path, { recursive: true, force: true })
    } finally {
      await this.#lock.release()
    }
  }
}

/** The lock of the draft at `path`, unless somebody has it or the draft is gone. */
async function lockOf(path: string): Promise<FileLock | undefined> {
  try {
    return await tryLock(join(path, LOCK))
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
