import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { inParallel } from '../base/in-parallel.ts'
import { namesIn } from '../state/listing.ts'
import { isStorageName } from '../storage/storage-ref.ts'
import { SCRATCH } from './image.ts'
import { DamagedImageError, ImageNotFoundError } from './image-errors.ts'
import {
  type ImageRecord,
  readImageRecord,
  readRecord,
} from './image-record.ts'
import type { ImageProblem } from './image-store.ts'
import {
  DAMAGED,
  IMAGES,
  imagePath,
  storePath,
  WRITABLE,
  WRITABLE_RECORD,
} from './layout.ts'

/** Records read at a time. More would only queue for libuv's four threads. */
const READERS = 16

/** What the records of a store say. */
export interface RecordListing {
  /** By id; parents before children. */
  readonly records: ReadonlyMap<string, ImageRecord>
  readonly problems: readonly ImageProblem[]
}

/** The records of one store's images, as they are on disk now. */
export class ImageRecords {
  readonly store: string
  readonly #root: string

  constructor(root: string, store: string) {
    this.store = store
    this.#root = root
  }

  path(id: string): string {
    return imagePath(this.#root, this.store, id)
  }

  /** The record of `id`; none for what cannot be an id, wherever it would lead. */
  async find(id: string): Promise<ImageRecord | undefined> {
    if (!isStorageName(id)) return undefined
    return readImageRecord(this.path(id), id)
  }

  /** @throws ImageNotFoundError, or DamagedImageError. */
  async read(id: string): Promise<ImageRecord> {
    const record = await this.find(id)
    if (record !== undefined) return record
    throw new ImageNotFoundError(this.store, id)
  }

  /** Every record that can be read, and why the others cannot be used. */
  async list(): Promise<RecordListing> {
    const directory = join(storePath(this.#root, this.store), IMAGES)
    const read = await inParallel(await namesIn(directory), READERS, (id) =>
      this.#readOrProblem(id),
    )
    const found = read.filter((entry) => entry !== undefined)
    const records = found
      .filter((entry) => 'layer' in entry)
      .toSorted((a, b) => a.depth - b.depth || (a.id < b.id ? -1 : 1))
    const byId = new Map(records.map((record) => [record.id, record]))
    const orphans = records.filter(
      ({ id, parent }) => id !== SCRATCH && !byId.has(parent ?? ''),
    )
    return {
      records: byId,
      problems: [
        ...found.filter((entry) => 'message' in entry),
        ...orphans.map(({ id, parent }) => ({
          id,
          message: `Image "${id}" lies on "${parent}", which does not exist`,
        })),
      ],
    }
  }

  /** The ids of the images that lie directly on `id`. */
  async childrenOf(id: string): Promise<readonly string[]> {
    const { records } = await this.list()
    return [...records.values()]
      .filter(({ parent }) => parent === id)
      .map((record) => record.id)
  }

  /** The ids of the writable layers that lie on `id`. */
  async writableOn(id: string): Promise<readonly string[]> {
    const directory = join(storePath(this.#root, this.store), WRITABLE)
    const names = await namesIn(directory)
    const records = await inParallel(names, READERS, (name) =>
      readRecord(join(directory, name, WRITABLE_RECORD), `Layer "${name}"`),
    )
    return names.filter((_, index) => records[index]?.['image'] === id)
  }

  /** Takes a record that cannot be read out of the way, and keeps it. */
  async setAside(id: string): Promise<void> {
    const unique = randomBytes(6).toString('hex')
    const name = `${this.store}-${id}`.slice(0, 200)
    const aside = join(this.#root, DAMAGED, `${name}-${unique}`)
    await fs.rename(this.path(id), aside)
  }

  async #readOrProblem(
    id: string,
  ): Promise<ImageRecord | ImageProblem | undefined> {
    try {
      return await this.find(id)
    } catch (error) {
      if (!(error instanceof DamagedImageError)) throw error
      return { id, message: error.message }
    }
  }
}
