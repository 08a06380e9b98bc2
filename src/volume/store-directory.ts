import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import {
  asError,
  InUseError,
  isErrno,
  UnavailableError,
} from '../base/errors.ts'
import type { Failure } from '../base/failure.ts'
import { inParts } from '../base/in-parts.ts'
import type { Log } from '../base/log.ts'
import { Thread } from '../base/thread.ts'
import { type FileLock, tryLock } from '../linux/flock.ts'
import { sweepDrafts } from '../state/atomic-file.ts'
import { settleFormat } from '../state/disk-format.ts'
import { exists, namesIn } from '../state/listing.ts'
import * as layout from './folder-layout.ts'
import { hideView } from './bind-view.ts'
import type { FolderCalls } from './folder-worker.ts'
import type { Draft } from './place-volumes.ts'
import type { StoreCalls } from './store-worker.ts'
import { VolumeNotFoundError } from './volume-errors.ts'
import type { OpenKeeping, VolumeKeeping } from './volume-keeping.ts'
import type { ScannedVolume } from './volume-scan.ts'
import type { StoreRoom, VolumeUsage } from './volume-usage.ts'

export interface StoreDirectoryOptions {
  /** The store's own directory. */
  readonly directory: string
  /** Whether the store must be there already; else it is made where it is missing. */
  readonly isKnown: boolean
  /** How its volumes are kept. */
  readonly keep: OpenKeeping
  readonly log: Log
}

const WORKER = new URL('store-worker.js', import.meta.url)
const FOLDER_WORKER = new URL('folder-worker.js', import.meta.url)

/** The directory of a store, taken for this process, and what is discarded in it. */
export class StoreDirectory {
  readonly path: string
  readonly keeping: VolumeKeeping
  /** For small things, which need not wait for the disk, nor for what takes long. */
  readonly thread = new Thread<FolderCalls>(FOLDER_WORKER)
  readonly #log: Log
  readonly #lock: FileLock
  readonly #discarding = new Set<Promise<void>>()
  /** One for each, so that measuring a large tree does not delay the others. */
  readonly #placing = new Thread<FolderCalls>(FOLDER_WORKER)
  readonly #removing = new Thread<StoreCalls>(WORKER)
  readonly #measuring = new Thread<StoreCalls>(WORKER)

  private constructor(
    path: string,
    keeping: VolumeKeeping,
    { log, lock }: { readonly log: Log; readonly lock: FileLock },
  ) {
    this.path = path
    this.keeping = keeping
    this.#log = log
    this.#lock = lock
  }

  /**
   * Takes the directory.
   *
   * @throws UnavailableError when the store is away, or another process has it.
   */
  static async open(options: StoreDirectoryOptions): Promise<StoreDirectory> {
    const mode = layout.PASSAGE_MODE
    if (options.isKnown) await requireStore(options.directory)
    await fs.mkdir(options.directory, { recursive: true, mode })
    // Mounts are told apart by their paths, and the kernel lists real ones.
    const path = await fs.realpath(options.directory)
    const lock = await takeLock(path)
    try {
      const keeping = await options.keep(path)
      const { kind, edition } = keeping
      await settleFormat(join(path, layout.FORMAT_FILE), { kind, edition })
      await fs.mkdir(join(path, layout.VOLUMES), { recursive: true, mode })
      const { log } = options
      return new StoreDirectory(path, keeping, { log, lock })
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  get volumes(): string {
    return join(this.path, layout.VOLUMES)
  }

  get trash(): string {
    return join(this.path, layout.TRASH)
  }

  /**
   * What is to be said of a volume that is not there: that it does not exist, unless
   * the store is gone as well, for then nobody knows.
   */
  async missing(name: string, options?: ErrorOptions): Promise<Error> {
    try {
      await this.requireStore()
    } catch (error) {
      return asError(error)
    }
    return new VolumeNotFoundError(name, options)
  }

  /** @throws UnavailableError when the store is not where it was. */
  async requireStore(): Promise<void> {
    await requireStore(this.path)
  }

  /** A fresh path beside the volumes, and on their filesystem. */
  aside(prefix: string): string {
    return join(this.path, prefix + randomBytes(8).toString('hex'))
  }

  /** Runs `task` with an empty directory that is gone afterwards. */
  async withScratch<T>(task: (scratch: string) => Promise<T>): Promise<T> {
    const scratch = this.aside(layout.DRAFT_PREFIX)
    await fs.mkdir(scratch, { mode: layout.PASSAGE_MODE })
    try {
      return await task(scratch)
    } finally {
      this.discard(scratch)
    }
  }

  /** Deletes in the background what no one can see any more. */
  discard(path: string): void {
    const work = this.delete(path)
    this.#discarding.add(work)
    void work.finally(() => this.#discarding.delete(work))
  }

  /** Deletes what no one can see. What cannot be is left to the next sweep. */
  async delete(path: string): Promise<void> {
    try {
      const mounts = await this.thread.call('mounts', path)
      const inside = await this.#foreignMount(path, mounts)
      if (inside === undefined) {
        await this.#release(path, mounts)
        await this.#eraseSnapshots(path)
        await this.keeping.erase(path)
        await this.#removing.call('remove', path)
      } else {
        this.#log.warn('Leftover kept: it is mounted', { path: inside })
      }
    } catch (error) {
      this.#log.warn('Leftover kept: it cannot be deleted', { path, error })
    }
  }

  /**
   * One of `mounts` in the directory of a volume that is not the volume's own, and so
   * must not be walked into.
   */
  async #foreignMount(
    volume: string,
    mounts: readonly string[],
  ): Promise<string | undefined> {
    if (mounts.length === 0) return undefined
    const own = [layout.VIEW]
    if (this.keeping.mounting !== 'never') {
      const snapshots = await namesIn(join(volume, layout.SNAPSHOTS))
      const data = snapshots.map((name) =>
        join(layout.SNAPSHOTS, name, layout.DATA),
      )
      own.push(layout.DATA, ...data)
    }
    return mounts.find((path) => !own.includes(relative(volume, path)))
  }

  /** Gives drafts their places among the volumes, for good; see `placeVolumes`. */
  place(drafts: readonly Draft[]): Promise<readonly (Failure | undefined)[]> {
    return this.#placing.call('place', this.volumes, drafts)
  }

  /**
   * Renames the directory of a volume that nobody holds.
   *
   * @throws as `vacate` does.
   */
  async move(volume: string, to: string, doing: string): Promise<void> {
    const mounts = await this.thread.call('move', volume, to)
    if (mounts.length === 0) return
    await this.#vacate(volume, doing, mounts)
    await fs.rename(volume, to)
  }

  /**
   * Lets go of what a crash may have left mounted of a volume that nobody holds.
   *
   * @throws InUseError when something else is mounted in it.
   */
  async vacate(volume: string, doing: string): Promise<void> {
    const mounts = await this.thread.call('mounts', volume)
    await this.#vacate(volume, doing, mounts)
  }

  async #vacate(
    volume: string,
    doing: string,
    mounts: readonly string[],
  ): Promise<void> {
    const inside = await this.#foreignMount(volume, mounts)
    if (inside !== undefined) {
      throw new InUseError(
        `Volume "${basename(volume)}" cannot be ${doing} while "${inside}" is mounted: unmount it first`,
      )
    }
    await this.#release(volume, mounts)
  }

  /** Lets go of what is mounted of a volume while it is held. */
  async release(volume: string): Promise<void> {
    await this.#release(volume, await this.thread.call('mounts', volume))
  }

  async #release(volume: string, mounts: readonly string[]): Promise<void> {
    const view = join(volume, layout.VIEW)
    if (mounts.includes(view)) await hideView(view)
    await this.keeping.hide(volume)
  }

  /** All that is among the volumes, by name. All at once would take long to receive. */
  async *scan(): AsyncGenerator<readonly ScannedVolume[], void> {
    const { volumes } = this
    const thread = new Thread<StoreCalls>(WORKER)
    try {
      const names = await thread.call('names', volumes)
      for (const part of inParts(names)) {
        yield await thread.call('scan', volumes, part)
      }
    } catch (error) {
      if (isErrno(error, 'ENOENT')) await this.requireStore()
      throw error
    } finally {
      await thread.close()
    }
  }

  /** How much is in the volume in `directory`. */
  async usage(directory: string): Promise<VolumeUsage> {
    const { keeping } = this
    if (keeping.usage !== undefined) return keeping.usage(directory)
    return this.#measuring.call('usage', join(directory, layout.DATA))
  }

  /** The same, with what else belongs to the volume, such as snapshots, allocated. */
  async usageWithAll(directory: string): Promise<VolumeUsage> {
    const usage = await this.usage(directory)
    const { allocated } = await this.#measuring.call('usage', directory)
    return { ...usage, allocated }
  }

  async room(): Promise<StoreRoom> {
    const { bsize, blocks, bavail } = await fs.statfs(this.path)
    return { total: blocks * bsize, free: bavail * bsize }
  }

  async close(): Promise<void> {
    await this.#measuring.close()
    await Promise.all(this.#discarding)
    await this.#removing.close()
    await this.#placing.close()
    await this.thread.close()
    await this.#lock.release()
  }

  async #eraseSnapshots(volume: string): Promise<void> {
    const snapshots = join(volume, layout.SNAPSHOTS)
    for (const snapshot of await namesIn(snapshots)) {
      await this.keeping.hide(join(snapshots, snapshot))
      await this.keeping.erase(join(snapshots, snapshot))
    }
  }

  /** Discards what a crash has left half made or half removed. */
  async sweep(): Promise<void> {
    await sweepDrafts(this.path)
    for (const entry of await fs.readdir(this.path)) {
      const isLeftover =
        entry.startsWith(layout.DRAFT_PREFIX) ||
        entry.startsWith(layout.REMOVED_PREFIX)
      if (isLeftover) this.discard(join(this.path, entry))
    }
  }
}

/** A store does not vanish, but its filesystem may not be mounted yet. */
async function requireStore(directory: string): Promise<void> {
  if (await exists(join(directory, layout.FORMAT_FILE))) return
  throw new UnavailableError(
    `"${directory}" held a volume store and does not now: mount its filesystem`,
  )
}

async function takeLock(directory: string): Promise<FileLock> {
  const lock = await tryLock(join(directory, layout.LOCK))
  if (lock !== undefined) return lock
  throw new UnavailableError(
    `"${directory}" is in use by another Stowage: stop it, or choose another directory`,
  )
}
