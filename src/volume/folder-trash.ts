import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, messageOf, NotFoundError } from '../base/errors.ts'
import { inParallel } from '../base/in-parallel.ts'
import { exists, namesIn } from '../state/listing.ts'
import * as layout from './folder-layout.ts'
import type { StoreDirectory } from './store-directory.ts'
import type {
  PutOptions,
  StoreTrash,
  TrashedVolume,
  TrashListing,
  TrashProblem,
} from './store-trash.ts'
import { nextTrashId, removedAt } from './trash-id.ts'
import { VolumeExistsError } from './volume-errors.ts'
import type { VolumeFolders } from './volume-folders.ts'
import {
  formatRecord,
  parseRecord,
  type VolumeRecord,
} from './volume-record.ts'
import type { VolumeUsage } from './volume-usage.ts'
import type { Volume } from './volume.ts'

/** What an adopted volume takes, in the trash as before. */
const NOTHING_OF_OURS: VolumeUsage = { bytes: 0, inodes: 0, allocated: 0 }

/** Records read at a time. */
const READERS = 16

/** The removed volumes of a store, each the directory that it was; see `folder-layout.ts`. */
export class FolderTrash implements StoreTrash {
  readonly #store: string
  readonly #directory: StoreDirectory
  readonly #folders: VolumeFolders

  constructor(
    store: string,
    directory: StoreDirectory,
    folders: VolumeFolders,
  ) {
    this.#store = store
    this.#directory = directory
    this.#folders = folders
  }

  /**
   * One rename removes the volume. It is not synchronised: after a power cut it may
   * be there again, which is no loss.
   */
  async put(
    name: string,
    { holders = [] }: PutOptions = {},
  ): Promise<TrashedVolume> {
    const record = await this.#folders.record(name)
    const volume = this.#folders.path(name)
    const id = nextTrashId()
    await this.#settle(name, record)
    if (holders.length > 0) {
      await this.#directory.vacate(volume, 'removed')
      const note = JSON.stringify({ id, holders })
      await this.#folders.writeFile(join(volume, layout.HOLDERS), note)
    }
    await this.#take(name, id)
    return this.#described(id, record, holders)
  }

  async list(): Promise<TrashListing> {
    const ids = await namesIn(this.#directory.trash)
    const found = await inParallel(ids, READERS, (id) => this.#found(id))
    return {
      volumes: found.filter((entry) => 'name' in entry),
      problems: found.filter((entry) => 'reason' in entry),
    }
  }

  async restore(id: string, name: string): Promise<Volume> {
    const record = await this.#record(id)
    const target = this.#folders.path(name)
    if (await exists(target)) throw new VolumeExistsError(name)
    if (record.name !== name) {
      const both = formatRecord({ ...record, alias: name })
      await this.#folders.writeFile(this.#path(id, layout.RECORD), both)
    }
    try {
      await fs.rename(this.#path(id), target)
    } catch (error) {
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error
      throw new VolumeExistsError(name, { cause: error })
    }
    await this.#folders.sync()
    await fs.rm(this.#folders.path(name, layout.HOLDERS), { force: true })
    return this.#folders.described(name)
  }

  async delete(id: string): Promise<void> {
    const path = this.#path(id)
    const grave = this.#directory.aside(layout.REMOVED_PREFIX)
    try {
      await this.#directory.move(path, grave, 'deleted')
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return
      throw error
    }
    this.#directory.discard(grave)
  }

  async usage(id: string): Promise<VolumeUsage> {
    const { path } = (await this.#record(id)).options
    if (path !== undefined) return NOTHING_OF_OURS
    return this.#directory.usageWithAll(this.#path(id))
  }

  /** In the trash nothing but the record tells the volume's name. */
  async #settle(
    name: string,
    { alias, ...record }: VolumeRecord,
  ): Promise<void> {
    if (alias !== undefined) await this.#folders.write(name, record)
  }

  async #take(name: string, id: string): Promise<void> {
    const volume = this.#folders.path(name)
    const take = (): Promise<void> =>
      this.#directory.move(volume, this.#path(id), 'removed')
    try {
      await take()
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
      if (!(await exists(volume))) {
        throw await this.#directory.missing(name, { cause: error })
      }
      // The first of all. Containers cannot get to where it goes.
      await fs.mkdir(this.#directory.trash, { recursive: true, mode: 0o700 })
      await take()
    }
  }

  async #found(id: string): Promise<TrashedVolume | TrashProblem> {
    try {
      return this.#described(
        id,
        await this.#record(id),
        await this.#holders(id),
      )
    } catch (error) {
      return { id, reason: `${messageOf(error)}: see "${this.#path(id)}"` }
    }
  }

  #described(
    id: string,
    { name, createdAt, options }: VolumeRecord,
    holders: readonly string[],
  ): TrashedVolume {
    const store = this.#store
    const when = removedAt(id)
    return { id, name, store, removedAt: when, holders, createdAt, options }
  }

  async #record(id: string): Promise<VolumeRecord> {
    try {
      return parseRecord(
        await fs.readFile(this.#path(id, layout.RECORD), 'utf8'),
      )
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
      throw new NotFoundError(
        `The trash of volume store "${this.#store}" has nothing under "${id}"`,
        { cause: error },
      )
    }
  }

  async #holders(id: string): Promise<readonly string[]> {
    try {
      const text = await fs.readFile(this.#path(id, layout.HOLDERS), 'utf8')
      const note: unknown = JSON.parse(text)
      // As older programs wrote it.
      if (Array.isArray(note)) return note.map(String)
      return isNote(note) && note.id === id ? note.holders.map(String) : []
    } catch (error) {
      if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return []
      throw error
    }
  }

  /** @throws NotFoundError for what cannot be an id, and so is none. */
  #path(id: string, ...below: readonly string[]): string {
    removedAt(id)
    return join(this.#directory.trash, id, ...below)
  }
}

/** Who held a volume when it was removed under an id, and at no other time. */
interface Note {
  readonly id: string
  readonly holders: readonly unknown[]
}

function isNote(value: unknown): value is Note {
  if (typeof value !== 'object' || value === null) return false
  return 'id' in value && 'holders' in value && Array.isArray(value.holders)
}
