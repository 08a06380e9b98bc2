import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../base/log.ts'
import { Thread } from '../base/thread.ts'
import { unmount } from '../linux/mount.ts'
import type { RemovalCalls } from './removal-worker.ts'

/** What a directory is renamed to before its content is deleted. */
export const REMOVAL_PREFIX = 'rm-'

/** How a driver deletes what is no plain tree; answers when it has. */
export type Eraser = (path: string) => Promise<void>

/**
 * Deletes directories in the background, one after the other, on a thread.
 *
 * What fails to be deleted stays where it is, and is tried again when the driver
 * is opened next.
 */
export class Removals {
  readonly #log: Log
  readonly #erase: Eraser
  readonly #thread = new Thread<RemovalCalls>(
    new URL('removal-worker.js', import.meta.url),
  )
  #last: Promise<void> = Promise.resolve()
  #closed = false

  /** @param erase Does what a tree needs before it can be deleted as files. */
  constructor(log: Log, erase: Eraser = async () => undefined) {
    this.#log = log
    this.#erase = erase
  }

  /** Deletes `path`, which nobody else uses any more, sooner or later. */
  start(path: string): void {
    this.#last = this.#after(this.#last, path)
  }

  /** Starts to delete what an earlier process left in `directory`. */
  async sweep(directory: string, prefixes: readonly string[]): Promise<void> {
    for (const name of await fs.readdir(directory)) {
      if (prefixes.some((prefix) => name.startsWith(prefix))) {
        this.start(join(directory, name))
      }
    }
  }

  /** Settles when everything that was started is deleted, or has failed. */
  async settled(): Promise<void> {
    await this.#last
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#thread.close()
    await this.#last
  }

  async #after(before: Promise<void>, path: string): Promise<void> {
    await before
    if (this.#closed) return
    try {
      for (const mountpoint of await this.#thread.call('mountsBelow', path)) {
        await unmount(mountpoint)
      }
      await this.#erase(path)
      await this.#thread.call('remove', path)
    } catch (error) {
      if (!this.#closed) this.#log.warn('Cannot delete', { path, error })
    }
  }
}
