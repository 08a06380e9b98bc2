import { join } from 'node:path'
import type { Readable } from 'node:stream'
import {
  AlreadyExistsError,
  InUseError,
  InvalidArgumentError,
  NotFoundError,
} from '../base/errors.ts'
import type { LayerId } from '../graph/driver.ts'
import { hold } from '../graph/hold.ts'
import { namesIn } from '../state/listing.ts'
import type { ImportResult } from '../archive/import-result.ts'
import type { DataSink, ImportOptions } from '../storage/data-sink.ts'
import type { DataSource } from '../storage/data-source.ts'
import type { DifferenceOptions, Exporter } from '../storage/exporter.ts'
import type { Importer } from '../storage/importer.ts'
import { MountDataSink } from '../storage/mount-data-sink.ts'
import { MountDataSource } from '../storage/mount-data-source.ts'
import { ownedStream } from '../storage/owned-stream.ts'
import { exportOnce, importOnce } from '../storage/single-use.ts'
import { isStorageName } from '../storage/storage-ref.ts'
import { DamagedImageError } from './image-errors.ts'
import type { Visit } from './image-readers.ts'
import { type Fields, layerBelow, readRecord } from './image-record.ts'
import { storePath, WRITABLE, WRITABLE_RECORD, writablePath } from './layout.ts'
import type { Surroundings } from './surroundings.ts'

/** A container's layer: what it writes, on top of an image. */
export interface WritableLayer {
  readonly id: string
  /** The id of the image that it lies on, which stays as long as it does. */
  readonly image: string
  /** What the image was called by whoever asked, such as `debian:12`. */
  readonly repository: string
  readonly createdAt: string
}

/** Where its content is, in the driver. */
interface Placed extends WritableLayer {
  readonly layer: LayerId
}

/** The writable layers on the images of one store, as archives in and out too. */
export class WritableLayers implements Importer, Exporter {
  readonly #store: string
  readonly #around: Surroundings
  readonly #visit: (image: string) => Promise<Visit>
  readonly #uses = new Map<string, number>()

  /** @param visit Keeps an image from being deleted until the visit ends. */
  constructor(
    store: string,
    around: Surroundings,
    visit: (image: string) => Promise<Visit>,
  ) {
    this.#store = store
    this.#around = around
    this.#visit = visit
  }

  /**
   * Adds a layer that shows what the image shows, and can be written.
   *
   * @throws ImageNotFoundError when there is no such image.
   * @throws AlreadyExistsError when `id` is taken.
   */
  async join(
    id: string,
    { image, repository = '' }: { image: string; repository?: string },
  ): Promise<WritableLayer> {
    if (!isStorageName(id)) {
      throw new InvalidArgumentError(
        `Layer id "${id}" is not valid: it has 1 to 255 of [a-zA-Z0-9_.-]`,
      )
    }
    const createdAt = new Date().toISOString()
    const written = Object.freeze({ id, image, repository, createdAt })
    const visit = await this.#visit(image)
    try {
      await this.#around.drafts.make(async (draft) => {
        const { layer } = draft
        const below = layerBelow(visit.record)
        await this.#around.driver.createReadWrite(layer, below)
        await draft.write(WRITABLE_RECORD, { ...written, layer })
        if (await draft.publish(this.#path(id))) return
        throw new AlreadyExistsError(`Layer "${id}" already exists`)
      })
    } finally {
      visit.leave()
    }
    return written
  }

  /** @throws NotFoundError when there is no such layer. */
  async get(id: string): Promise<WritableLayer> {
    const { image, repository, createdAt } = await this.#read(id)
    return Object.freeze({ id, image, repository, createdAt })
  }

  /** The ids of all layers, sorted. */
  list(): Promise<readonly string[]> {
    return namesIn(join(storePath(this.#around.root, this.#store), WRITABLE))
  }

  /**
   * @throws NotFoundError when there is no such layer.
   * @throws InUseError while it is read or written.
   */
  async remove(id: string): Promise<void> {
    await this.#read(id)
    if ((this.#uses.get(id) ?? 0) > 0) {
      throw new InUseError(`Layer "${id}" is in use: it is read or written now`)
    }
    await this.#around.removals.take(this.#path(id))
    await this.#around.removals.sweep()
  }

  async openSource(id: string): Promise<DataSource> {
    const { path, letGo } = await this.#hold(id)
    return new MountDataSource(path, { letGo, writable: true })
  }

  async openSink(id: string): Promise<DataSink> {
    const { path, letGo } = await this.#hold(id)
    return new MountDataSink(path, { letGo })
  }

  /** Against its image, given as the ancestor, it is what `docker commit` makes an image of. */
  async export(
    id: string,
    { ancestor, ...options }: DifferenceOptions = {},
  ): Promise<Readable> {
    if (ancestor === undefined) {
      return exportOnce(await this.openSource(id), options)
    }
    const { layer } = await this.#read(id)
    const visit = await this.#visit(ancestor)
    this.#count(id, 1)
    const letGo = async (): Promise<void> => {
      this.#count(id, -1)
      visit.leave()
    }
    try {
      const below = layerBelow(visit.record)
      const tar = await this.#around.driver.diff(layer, below)
      return ownedStream(tar, letGo, options.signal)
    } catch (error) {
      await letGo()
      throw error
    }
  }

  async import(
    id: string,
    tar: Readable,
    options?: ImportOptions,
  ): Promise<ImportResult> {
    return importOnce(await this.openSink(id), tar, options)
  }

  async #hold(
    id: string,
  ): Promise<{ path: string; letGo: () => Promise<void> }> {
    const { layer } = await this.#read(id)
    this.#count(id, 1)
    try {
      const held = await hold(this.#around.driver, layer)
      return {
        path: held.mountpoint,
        letGo: async () => {
          await held[Symbol.asyncDispose]()
          this.#count(id, -1)
        },
      }
    } catch (error) {
      this.#count(id, -1)
      throw error
    }
  }

  async #read(id: string): Promise<Placed> {
    const what = `Layer "${id}"`
    const fields = isStorageName(id)
      ? await readRecord(join(this.#path(id), WRITABLE_RECORD), what)
      : undefined
    if (fields === undefined) {
      throw new NotFoundError(
        `${what} does not exist in image store "${this.#store}"`,
      )
    }
    if (isPlaced(fields) && fields.id === id) return fields
    throw new DamagedImageError(what, 'its record is that of something else')
  }

  #count(id: string, change: number): void {
    this.#uses.set(id, (this.#uses.get(id) ?? 0) + change)
  }

  #path(id: string): string {
    return writablePath(this.#around.root, this.#store, id)
  }
}

function isPlaced(fields: Fields): fields is Fields & Placed {
  const texts = ['id', 'layer', 'image', 'repository', 'createdAt']
  return texts.every((name) => typeof fields[name] === 'string')
}
