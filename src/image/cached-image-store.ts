import type { Readable } from 'node:stream'
import { KeyedMutex } from '../base/keyed-mutex.ts'
import type { ImportResult } from '../archive/import-result.ts'
import type { DataSink, ImportOptions } from '../storage/data-sink.ts'
import type { DataSource } from '../storage/data-source.ts'
import type { DifferenceOptions } from '../storage/exporter.ts'
import type { Owner } from '../storage/resolver.ts'
import { type Image, SCRATCH } from './image.ts'
import { DigestMismatchError, ImageNotFoundError } from './image-errors.ts'
import type {
  ImageDraft,
  ImageListing,
  ImageProblem,
  ImageStore,
  WriteOptions,
} from './image-store.ts'

/** What was read of a store. It is shown to others only once it is complete. */
interface Index {
  readonly images: Map<string, Image>
  readonly problems: readonly ImageProblem[]
}

/**
 * An image store whose images are remembered.
 *
 * The store behind it stays the truth: what is not remembered is asked for there,
 * and what is deleted is deleted there first. A list that could not be read is not
 * remembered as an empty one, and asked for again by the next who needs it.
 */
export class CachedImageStore implements ImageStore {
  readonly name: string
  readonly link: string
  readonly #store: ImageStore
  readonly #turns = new KeyedMutex()
  #index: Promise<Index> | undefined
  /** What came and went while the store was being listed. */
  #meanwhile = new Map<string, Image | undefined>()

  constructor(store: ImageStore) {
    this.name = store.name
    this.link = store.link
    this.#store = store
  }

  async writeImage(
    draft: ImageDraft,
    tar: Readable,
    options?: WriteOptions,
  ): Promise<Image> {
    return this.#turns.run(draft.id, async () => {
      const known = (await this.#loaded()).images.get(draft.id)
      if (known === undefined) {
        const image = await this.#store.writeImage(draft, tar, options)
        await this.#remember(image.id, image)
        return image
      }
      if (known.digest === draft.digest) return known
      throw new DigestMismatchError(draft.id, draft.digest, known.digest)
    })
  }

  async getImage(id: string): Promise<Image> {
    const { images } = await this.#loaded()
    const known = images.get(id)
    if (known !== undefined) return known
    const image = await this.#store.getImage(id)
    await this.#remember(id, image)
    return image
  }

  async listImages(ids?: readonly string[]): Promise<ImageListing> {
    const { images, problems } = await this.#loaded()
    const all = [...images.values()]
      .filter(({ id }) => id !== SCRATCH)
      .toSorted((a, b) => a.depth - b.depth || (a.id < b.id ? -1 : 1))
    if (ids === undefined) return { images: all, missing: [], problems }
    const there = new Set([...all, ...problems].map(({ id }) => id))
    return {
      images: all.filter(({ id }) => ids.includes(id)),
      missing: ids.filter((id) => !there.has(id)),
      problems: problems.filter(({ id }) => ids.includes(id)),
    }
  }

  async deleteImage(id: string): Promise<void> {
    await this.#turns.run(id, async () => {
      try {
        await this.#store.deleteImage(id)
      } catch (error) {
        // What vanished behind our back is not remembered for good.
        if (error instanceof ImageNotFoundError) await this.#remember(id)
        throw error
      }
      await this.#remember(id)
    })
  }

  async usage(id?: string): Promise<number> {
    if (id !== undefined) return (await this.getImage(id)).size
    const { images } = await this.#loaded()
    return [...images.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** Lists the store anew, and answers what it has now. */
  async refresh(): Promise<ImageListing> {
    this.#index = undefined
    return this.listImages()
  }

  locate(id: string): Promise<string> {
    return this.#store.locate(id)
  }

  owners(link: string): Promise<readonly Owner[]> {
    return this.#store.owners(link)
  }

  openSource(id: string): Promise<DataSource> {
    return this.#store.openSource(id)
  }

  export(id: string, options?: DifferenceOptions): Promise<Readable> {
    return this.#store.export(id, options)
  }

  openSink(id: string): Promise<DataSink> {
    return this.#store.openSink(id)
  }

  import(
    id: string,
    tar: Readable,
    options?: ImportOptions,
  ): Promise<ImportResult> {
    return this.#store.import(id, tar, options)
  }

  /** The index; whoever needs it while it is read waits for the same reading. */
  async #loaded(): Promise<Index> {
    const loading = this.#index ?? this.#load()
    this.#index = loading
    try {
      return await loading
    } catch (error) {
      if (this.#index === loading) this.#index = undefined
      throw error
    }
  }

  async #load(): Promise<Index> {
    this.#meanwhile = new Map()
    const meanwhile = this.#meanwhile
    const { images, problems } = await this.#store.listImages()
    const index = new Map(images.map((image) => [image.id, image]))
    for (const [id, image] of meanwhile) {
      if (image === undefined) index.delete(id)
      else index.set(id, image)
    }
    return { images: index, problems }
  }

  async #remember(id: string, image?: Image): Promise<void> {
    this.#meanwhile.set(id, image)
    const { images } = await this.#loaded()
    if (image === undefined) images.delete(id)
    else images.set(id, image)
  }
}
