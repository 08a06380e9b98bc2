import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { asError, isErrno } from '../base/errors.ts'
import { revived } from '../base/failure.ts'
import type { Log } from '../base/log.ts'
import { exists, namesIn } from '../state/listing.ts'
import { isStorageName } from '../storage/storage-ref.ts'
import * as layout from './folder-layout.ts'
import type { Draft } from './place-volumes.ts'
import type { StoreDirectory } from './store-directory.ts'
import { VolumeExistsError } from './volume-errors.ts'
import {
  formatRecord,
  parseRecord,
  type VolumeRecord,
} from './volume-record.ts'

interface Waiting {
  readonly draft: Draft
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Makes volumes aside, each to be seen once it is whole. */
export class FolderDrafts {
  readonly #directory: StoreDirectory
  readonly #log: Log
  #waiting: Waiting[] = []
  #isPlacing = false

  constructor(directory: StoreDirectory, log: Log) {
    this.#directory = directory
    this.#log = log
  }

  /**
   * Makes the volume that has `record`. On failure nothing is left of it.
   *
   * @param fill Makes in a directory, which it makes too, what is not made with all
   *   the rest, and answers where the files of the volume are.
   * @throws VolumeExistsError when its name is taken.
   */
  async make(
    record: VolumeRecord,
    fill: (directory: string) => Promise<Draft['data']>,
  ): Promise<void> {
    const { name, options } = record
    const directory = this.#directory.aside(layout.DRAFT_PREFIX)
    try {
      const data = await fill(directory)
      const text = formatRecord(record)
      await this.#place({ name, directory, data, options, record: text })
    } catch (error) {
      await this.#abandon(directory)
      // A volume's directory is never empty, so rename cannot replace one.
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error
      throw new VolumeExistsError(name, { cause: error })
    }
  }

  /**
   * Gives each draft its place that a crash has left whole: the volume may have been
   * acknowledged. All others are swept with the rest.
   */
  async finish(): Promise<void> {
    for (const entry of await namesIn(this.#directory.path)) {
      if (entry.startsWith(layout.DRAFT_PREFIX)) await this.#finish(entry)
    }
  }

  async #finish(entry: string): Promise<void> {
    const draft = join(this.#directory.path, entry)
    try {
      const text = await fs.readFile(join(draft, layout.RECORD), 'utf8')
      const { name, options } = parseRecord(text)
      if (!isStorageName(name)) throw new Error(`"${name}" is no name`)
      // btrfs may have the record on disk before what was made beside it.
      const hasFiles = await exists(join(draft, layout.DATA))
      if (options.path === undefined && !hasFiles) throw new Error('No files')
      await fs.rename(draft, join(this.#directory.volumes, name))
      this.#log.info('Volume finished after a crash', { volume: name })
    } catch (error) {
      this.#log.debug('Draft discarded', { draft, error })
    }
  }

  /** First of all it goes by a name by which it would not be finished. */
  async #abandon(draft: string): Promise<void> {
    const grave = this.#directory.aside(layout.REMOVED_PREFIX)
    try {
      await fs.rename(draft, grave)
      await this.#directory.delete(grave)
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) await this.#directory.delete(draft)
    }
  }

  async #place(draft: Draft): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ draft, resolve, reject })
      if (!this.#isPlacing) void this.#placeAll()
    })
  }

  /** Those that come while others wait for the disk go together after them. */
  async #placeAll(): Promise<void> {
    this.#isPlacing = true
    while (this.#waiting.length > 0) {
      const together = this.#waiting
      this.#waiting = []
      await this.#placeThese(together)
    }
    this.#isPlacing = false
  }

  async #placeThese(together: readonly Waiting[]): Promise<void> {
    const drafts = together.map(({ draft }) => draft)
    try {
      const failures = await this.#directory.place(drafts)
      for (const [nth, { resolve, reject }] of together.entries()) {
        const failure = failures[nth]
        if (failure === undefined) resolve()
        else reject(revived(failure))
      }
    } catch (error) {
      for (const { reject } of together) reject(asError(error))
    }
  }
}
