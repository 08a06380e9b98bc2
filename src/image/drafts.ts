import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Driver, LayerId } from '../graph/driver.ts'
import { type FileLock, tryLock } from '../linux/flock.ts'
import { syncDirectory, writeFileAtomic } from '../state/atomic-file.ts'
import { exists, namesIn } from '../state/listing.ts'
import { formatRecord } from './image-record.ts'
import { DRAFTS, LOCK } from './layout.ts'

/** A directory that becomes something, and a layer of the driver by its name. */
export interface Draft {
  readonly layer: LayerId

  /** Writes a record, which outlives a power cut, at `name` in the draft. */
  write(name: string, record: object): Promise<void>

  /** Makes a directory in the draft. */
  mkdir(name: string): Promise<void>

  /**
   * Makes the draft what is at `target`, if nothing is there yet, and answers
   * whether it did. Which of two makers is first is for rename(2) to decide: it
   * does not replace a directory that has something in it.
   */
  publish(target: string): Promise<boolean>
}

/** Things in the making, see `layout.ts`. */
export class Drafts {
  readonly #directory: string
  readonly #driver: Driver
  readonly #log: Log

  constructor(root: string, driver: Driver, log: Log) {
    this.#directory = join(root, DRAFTS)
    this.#driver = driver
    this.#log = log
  }

  /** Lets `make` publish a draft; if it fails, nothing of the draft remains. */
  async make<T>(make: (draft: Draft) => Promise<T>): Promise<T> {
    const { layer, path, lock } = await this.#begin()
    try {
      return await make(draftAt(path, layer))
    } catch (error) {
      await this.#abandon(path, layer)
      throw error
    } finally {
      await lock.release()
    }
  }

  /** Clears away what no living maker has locked. */
  async sweep(): Promise<void> {
    for (const layer of await namesIn(this.#directory)) {
      const path = join(this.#directory, layer)
      const lock = await lockOf(path)
      if (lock === undefined) continue
      await this.#abandon(path, layer)
      await lock.release()
    }
  }

  async #begin(): Promise<{ layer: LayerId; path: string; lock: FileLock }> {
    for (;;) {
      const layer = randomBytes(16).toString('hex')
      const path = join(this.#directory, layer)
      await fs.mkdir(path, { mode: 0o700 })
      const lock = await lockOf(path)
      // Without a lock, or a path, a sweep took it for a leftover in between.
      if (lock !== undefined && (await exists(path))) {
        return { layer, path, lock }
      }
      await lock?.release()
    }
  }

  /** The layer goes first: should that fail, the draft is there for the next sweep. */
  async #abandon(path: string, layer: LayerId): Promise<void> {
    try {
      await this.#driver.remove(layer)
      await fs.rm(path, { recursive: true, force: true })
    } catch (error) {
      this.#log.warn('Draft left', { layer, reason: messageOf(error) })
    }
  }
}

function draftAt(path: string, layer: LayerId): Draft {
  return {
    layer,
    write: (name, record) =>
      writeFileAtomic(join(path, name), formatRecord(record)),
    mkdir: async (name) => {
      await fs.mkdir(join(path, name), { mode: 0o700 })
    },
    async publish(target) {
      try {
        await fs.rename(path, target)
      } catch (error) {
        if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return false
        throw error
      }
      await syncDirectory(join(target, '..'))
      return true
    },
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
