import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, NotSupportedError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { syncDirectory } from '../state/atomic-file.ts'
import { namesIn } from '../state/listing.ts'
import * as layout from './folder-layout.ts'
import type { StoreDirectory } from './store-directory.ts'
import { VolumeExistsError, VolumeNotFoundError } from './volume-errors.ts'
import type { VolumeFolders } from './volume-folders.ts'
import type { KeptVolume } from './volume-keeping.ts'
import type { ResizedVolume, Resized, VolumeRepair } from './volume-storer.ts'
import type { Volume } from './volume.ts'

/** Changes of volumes that take more than one step, so that a crash may come between. */
export class FolderChanges {
  readonly #directory: StoreDirectory
  readonly #folders: VolumeFolders
  readonly #log: Log

  constructor(directory: StoreDirectory, folders: VolumeFolders, log: Log) {
    this.#directory = directory
    this.#folders = folders
    this.#log = log
  }

  /**
   * Writes down the new capacity, and then sees to it. A mark says so meanwhile: a
   * crash in between leaves it to `finish`.
   */
  async resize(name: string, capacity: number): Promise<ResizedVolume> {
    const record = await this.#folders.record(name)
    const volume = await this.#folders.kept(name)
    const mark = await this.#mark(name)
    await this.#folders.write(name, { ...record, capacity })
    let effective
    try {
      effective = await this.#resized({ ...volume, capacity })
    } catch (error) {
      await this.#folders.write(name, record)
      throw error
    } finally {
      await fs.rm(mark, { force: true })
    }
    return { volume: await this.#folders.described(name), effective }
  }

  /** Does what a crash has kept from being done. */
  async finish(): Promise<readonly VolumeRepair[]> {
    const repairs: VolumeRepair[] = []
    const marks = join(this.#directory.path, layout.RESIZING)
    for (const name of await namesIn(marks)) {
      try {
        await this.#resized(await this.#folders.kept(name))
        repairs.push({ name, repair: 'it has the size that it was to get' })
      } catch (error) {
        if (!(error instanceof VolumeNotFoundError)) {
          this.#log.warn('Volume not resized', { volume: name, error })
          continue
        }
      }
      await fs.rm(join(marks, name), { force: true })
    }
    return repairs
  }

  /**
   * The record has both names before the directory goes by the new one, so that it
   * is right under either.
   */
  async rename(name: string, to: string): Promise<Volume> {
    const record = await this.#folders.record(name)
    const [from, path] = [this.#folders.path(name), this.#folders.path(to)]
    await this.#directory.vacate(from, 'renamed')
    await this.#folders.write(name, { ...record, name: to, alias: name })
    try {
      await fs.rename(from, path)
    } catch (error) {
      await this.#folders.write(name, record)
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error
      throw new VolumeExistsError(to, { cause: error })
    }
    await this.#folders.sync()
    return this.#folders.described(to)
  }

  async #resized(volume: KeptVolume): Promise<Resized> {
    const { kind, resizing } = this.#directory.keeping
    if ('because' in resizing) {
      throw new NotSupportedError(
        `A ${kind} store cannot resize volumes, because ${resizing.because}`,
      )
    }
    return this.#directory.withScratch((scratch) =>
      resizing.resize(volume, scratch),
    )
  }

  async #mark(name: string): Promise<string> {
    const marks = join(this.#directory.path, layout.RESIZING)
    await fs.mkdir(marks, { recursive: true, mode: 0o700 })
    const mark = join(marks, name)
    await fs.writeFile(mark, '', { mode: 0o600 })
    await syncDirectory(marks)
    return mark
  }
}
