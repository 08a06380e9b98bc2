import { mkdirSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, messageOf } from '../base/errors.ts'
import { KeyedMutex } from '../base/keyed-mutex.ts'
import { syncDirectory, writeFileAtomic } from '../state/atomic-file.ts'
import { exists } from '../state/listing.ts'
import { VolumeExistsError, VolumeNotFoundError } from './volume-errors.ts'
import type { VolumeOptions } from './volume-options.ts'
import { formatRecord, parseRecord } from './volume-record.ts'
import type { VolumeListing, VolumeProblem } from './volume-storer.ts'
import { frozenVolume, type Volume } from './volume.ts'

/** Whose volumes are recorded, and where. */
export interface VolumeRecordsOptions {
  /** The name of the store. */
  readonly store: string
  /** A directory for records alone; made where it is missing. */
  readonly directory: string
  /** Where the files of a volume are, or will be once it is mounted. */
  readonly mountpoint: (name: string) => string
}

/**
 * What a store must remember of its volumes, for those that keep the files of them
 * in a way of their own.
 *
 *     <directory>/<name>/volume.json    what the volume was created with
 *     <directory>/<name>/removed.json   the same, while it is being removed
 *
 * A volume is there for as long as its record is. The record is written when the
 * files have been made, and hidden before they are destroyed, so that nothing half
 * made or half gone is ever seen. What a crash leaves is files without a record:
 * whoever makes a volume of that name finds them, and makes it empty.
 */
export class VolumeRecords {
  readonly #store: string
  readonly #directory: string
  readonly #mountpoint: (name: string) => string
  readonly #turns = new KeyedMutex()

  constructor({ store, directory, mountpoint }: VolumeRecordsOptions) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    this.#store = store
    this.#directory = directory
    this.#mountpoint = mountpoint
  }

  /**
   * Records a volume for good, once `make` has made its files.
   *
   * @throws VolumeExistsError when there is one of that name; then nothing is made.
   */
  create(
    name: string,
    options: VolumeOptions,
    make: (mountpoint: string) => Promise<void>,
  ): Promise<Volume> {
    return this.#turns.run(name, async () => {
      // Also a record that cannot be read keeps its name taken.
      if (await exists(this.#path(name))) throw new VolumeExistsError(name)
      const mountpoint = this.#mountpoint(name)
      await make(mountpoint)
      // Where there is one, it must not be lost by a power cut that keeps its record.
      if (await exists(mountpoint)) await syncDirectory(mountpoint)
      const createdAt = new Date().toISOString()
      const folder = join(this.#directory, name)
      await fs.mkdir(folder, { recursive: true, mode: 0o700 })
      const record = formatRecord({ name, createdAt, options })
      await writeFileAtomic(this.#path(name), record)
      await syncDirectory(this.#directory)
      return this.get(name)
    })
  }

  /**
   * The volume as it is recorded.
   *
   * @throws VolumeNotFoundError when there is none of that name.
   */
  async get(name: string): Promise<Volume> {
    try {
      const text = await fs.readFile(this.#path(name), 'utf8')
      const record = parseRecord(text, name)
      const mountpoint = this.#mountpoint(name)
      return frozenVolume({ ...record, store: this.#store, mountpoint })
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
      throw new VolumeNotFoundError(name, { cause: error })
    }
  }

  /** All volumes. A record that cannot be read hides no other. */
  async list(): Promise<VolumeListing> {
    const volumes: Volume[] = []
    const problems: VolumeProblem[] = []
    for (const name of await fs.readdir(this.#directory)) {
      try {
        volumes.push(await this.get(name))
      } catch (error) {
        if (error instanceof VolumeNotFoundError) continue
        problems.push({ name, reason: messageOf(error) })
      }
    }
    return { volumes, problems }
  }

  /**
   * Forgets a volume, once `destroy` has destroyed its files. Where that fails, the
   * volume is still there.
   *
   * @throws VolumeNotFoundError when there is none of that name.
   */
  remove(
    name: string,
    destroy: (mountpoint: string) => Promise<void>,
  ): Promise<void> {
    return this.#turns.run(name, async () => {
      const { mountpoint } = await this.get(name)
      const directory = join(this.#directory, name)
      const hidden = join(directory, 'removed.json')
      await fs.rename(this.#path(name), hidden)
      await syncDirectory(directory)
      try {
        await destroy(mountpoint)
      } catch (error) {
        await fs.rename(hidden, this.#path(name))
        throw error
      }
      await fs.rm(directory, { recursive: true })
    })
  }

  #path(name: string): string {
    return join(this.#directory, name, 'volume.json')
  }
}
