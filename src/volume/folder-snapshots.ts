import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from '../state/atomic-file.ts'
import { exists } from '../state/listing.ts'
import type { CopyOptions } from './copy-options.ts'
import * as layout from './folder-layout.ts'
import type { StoreDirectory } from './store-directory.ts'
import type { StoreSnapshots } from './store-snapshots.ts'
import { SnapshotExistsError } from './volume-errors.ts'
import type { VolumeFolders } from './volume-folders.ts'
import type { CopyingKeeping } from './volume-keeping.ts'
import type { Volume } from './volume.ts'

/** Snapshots as directories within those of their volumes. */
export class FolderSnapshots implements StoreSnapshots {
  readonly #directory: StoreDirectory
  readonly #folders: VolumeFolders
  readonly #copying: CopyingKeeping

  constructor(
    directory: StoreDirectory,
    folders: VolumeFolders,
    copying: CopyingKeeping,
  ) {
    this.#directory = directory
    this.#folders = folders
    this.#copying = copying
  }

  /** Copies the volume aside and renames the copy into place, whole. */
  async create(
    volume: string,
    snapshot: string,
    options: CopyOptions = {},
  ): Promise<Volume> {
    const source = await this.#folders.kept(volume)
    const path = this.#folders.snapshotPath(volume, snapshot)
    if (await exists(path)) throw new SnapshotExistsError(volume, snapshot)
    const draft = this.#directory.aside(layout.DRAFT_PREFIX)
    try {
      await fs.mkdir(draft, { mode: layout.PASSAGE_MODE })
      await this.#copying.copy(source, draft, options)
      await this.#publish(draft, volume, path)
    } catch (error) {
      await this.#directory.delete(draft)
      throw error
    }
    return this.#folders.described(volume)
  }

  async delete(volume: string, snapshot: string): Promise<Volume> {
    const { directory } = await this.#folders.keptSnapshot(volume, snapshot)
    await this.#directory.keeping.hide(directory)
    const grave = this.#directory.aside(layout.REMOVED_PREFIX)
    await fs.rename(directory, grave)
    await syncDirectory(this.#folders.path(volume, layout.SNAPSHOTS))
    this.#directory.discard(grave)
    return this.#folders.described(volume)
  }

  async rollback(
    volume: string,
    snapshot: string,
    saved: string,
  ): Promise<Volume> {
    const { directory } = await this.#folders.keptSnapshot(volume, snapshot)
    const present = await this.#folders.kept(volume)
    await this.#directory.vacate(present.directory, 'rolled back')
    await this.create(volume, saved)
    await this.#directory.withScratch((scratch) =>
      this.#copying.restore(present, directory, scratch),
    )
    return this.#folders.described(volume)
  }

  async show(volume: string, snapshot: string): Promise<string> {
    const { directory } = await this.#folders.keptSnapshot(volume, snapshot)
    await this.#copying.showCopy(directory)
    return join(directory, layout.DATA)
  }

  async hide(volume: string, snapshot: string): Promise<void> {
    const { directory } = await this.#folders.keptSnapshot(volume, snapshot)
    await this.#directory.keeping.hide(directory)
  }

  /** What was being made at this moment is a snapshot from now on. */
  async #publish(draft: string, volume: string, path: string): Promise<void> {
    const now = new Date()
    await fs.utimes(draft, now, now)
    await syncDirectory(draft)
    const snapshots = this.#folders.path(volume, layout.SNAPSHOTS)
    await fs.mkdir(snapshots, { recursive: true, mode: layout.PASSAGE_MODE })
    await fs.rename(draft, path)
    await syncDirectory(snapshots)
    await syncDirectory(this.#folders.path(volume))
  }
}
