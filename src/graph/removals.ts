import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../base/log.ts'
import { Lull } from '../base/lull.ts'
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
 * It begins in a lull, with all that have come by then: whoever removes one layer
 * has more to ask for at once, and should not find the processor taken, nor the
 * mount table read for each.
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
  readonly #gathered: string[] = []
  readonly #lull = new Lull(() => this.#begin())
  #last: Promise<void> = Promise.resolve()
  #closed = false

  /** @param erase Does what a tree needs before it can be deleted as files. */
  constructor(log: Log, erase: Eraser = async () => undefined) {
    this.#log = log
    this.#erase = erase
  }

  /** Deletes `path`, which nobody else uses any more, sooner or later. */
  start(path: string): void {
    this.#gathered.push(path)
    this.#lull.putOff()
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
    this.#begin()
    await this.#last
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#lull.cancel()
    await this.#thread.close()
    await this.#last
  }

  #begin(): void {
    this.#lull.cancel()
    const paths = this.#gathered.splice(0)
    if (paths.length > 0) this.#last = this.#after(this.#last, paths)
  }

  async #after(before: Promise<void>, paths: readonly string[]): Promise<void> {
    await before
    if (this.#closed) return
    try {
      const mounts = await this.#thread.call('mountsBelow', paths)
      const plain: string[] = []
      for (const [index, path] of paths.entries()) {
        if (await this.#makePlain(path, mounts[index] ?? [])) plain.push(path)
      }
      const failures = await this.#thread.call('remove', plain)
      for (const [path, reason] of failures) this.#warn(path, reason)
    } catch (error) {
      for (const path of paths) this.#warn(path, error)
    }
  }

  /** Whether nothing but files and directories is left of `path`. */
  async #makePlain(path: string, mounts: readonly string[]): Promise<boolean> {
    try {
      for (const mountpoint of mounts) await unmount(mountpoint)
      await this.#erase(path)
      return true
    } catch (error) {
      this.#warn(path, error)
      return false
    }
  }

  #warn(path: string, error: unknown): void {
    if (!this.#closed) this.#log.warn('Cannot delete', { path, error })
  }
}
