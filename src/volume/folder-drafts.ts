import { asError, isErrno } from '../base/errors.ts'
import { revived } from '../base/failure.ts'
import * as layout from './folder-layout.ts'
import type { Draft } from './place-volumes.ts'
import type { StoreDirectory } from './store-directory.ts'
import { VolumeExistsError } from './volume-errors.ts'
import { formatRecord, type VolumeRecord } from './volume-record.ts'

interface Waiting {
  readonly draft: Draft
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Makes volumes aside, each to be seen once it is whole. */
export class FolderDrafts {
  readonly #directory: StoreDirectory
  #waiting: Waiting[] = []
  #isPlacing = false

  constructor(directory: StoreDirectory) {
    this.#directory = directory
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
      await this.#directory.delete(directory)
      if (isErrno(error, 'ENOENT')) await this.#directory.requireStore()
      // A volume's directory is never empty, so rename cannot replace one.
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error
      throw new VolumeExistsError(name, { cause: error })
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
