import type { Readable } from 'node:stream'
import {
  AlreadyExistsError,
  InUseError,
  InvalidArgumentError,
} from '../base/errors.ts'
import { KeyedMutex } from '../base/keyed-mutex.ts'
import { NO_PARENT } from '../graph/driver.ts'
import { syncFilesystem } from '../linux/sync-filesystem.ts'
import type { DataSource } from '../storage/data-source.ts'
import type { DifferenceOptions } from '../storage/exporter.ts'
import type { Owner } from '../storage/resolver.ts'
import { exportOnce } from '../storage/single-use.ts'
import { formatRef, isStorageName, parseRef } from '../storage/storage-ref.ts'
import type { Draft } from './drafts.ts'
import { type Image, imageOf, SCRATCH } from './image.ts'
import { exportDifference, openImage } from './image-content.ts'
import {
  DamagedImageError,
  DigestMismatchError,
  ImageNotFoundError,
} from './image-errors.ts'
import { type ImageRecord, layerBelow, scratchRecord } from './image-record.ts'
import { ImageOwners } from './image-owners.ts'
import type { Visit } from './image-readers.ts'
import { ImageRecords } from './image-records.ts'
import type {
  ImageDraft,
  ImageListing,
  ImageStore,
  WriteOptions,
} from './image-store.ts'
import { IMAGE_RECORD } from './layout.ts'
import { receive } from './received-tar.ts'
import type { Surroundings } from './surroundings.ts'
import { WritableLayers } from './writable-layers.ts'

/**
 * The images of one store, each a layer of a driver.
 *
 * Two kinds of turns keep it whole. An image's own, which writing holds from its
 * beginning to its end, so that an id is written once; and the store's, which is
 * held only while it is decided whether an image may come or go.
 */
export class LayerImageStore implements ImageStore {
  readonly name: string
  readonly link: string
  /** What containers write, on top of the images. */
  readonly writable: WritableLayers
  readonly #around: Surroundings
  readonly #records: ImageRecords
  readonly #owners: ImageOwners
  readonly #turns = new KeyedMutex()
  readonly #settling = new KeyedMutex()

  constructor(name: string, around: Surroundings) {
    this.name = name
    this.link = formatRef({ kind: 'image-store', store: name })
    this.#around = around
    this.#records = new ImageRecords(around.root, name)
    this.writable = new WritableLayers(name, around, (id) => this.#visit(id))
    this.#owners = new ImageOwners(this.#records, around.holders)
  }

  async writeImage(
    draft: ImageDraft,
    tar: Readable,
    { signal }: WriteOptions = {},
  ): Promise<Image> {
    checkDraft(draft)
    return this.#turns.run(draft.id, async () => {
      const there = await this.#existing(draft)
      if (there !== undefined) return imageOf(this.name, there)
      const record = await this.#write(draft, tar, signal)
      return imageOf(this.name, record)
    })
  }

  async getImage(id: string): Promise<Image> {
    const record = await this.#records.read(id)
    if (await this.#around.driver.exists(record.layer)) {
      return imageOf(this.name, record)
    }
    throw new DamagedImageError(`Image "${id}"`, NO_LAYER)
  }

  async listImages(ids?: readonly string[]): Promise<ImageListing> {
    const { records, problems } = await this.#records.list()
    const all = [...problems]
    const images: Image[] = []
    for (const record of records.values()) {
      if (record.id === SCRATCH) continue
      images.push(imageOf(this.name, record))
      if (await this.#around.driver.exists(record.layer)) continue
      all.push({ id: record.id, message: NO_LAYER })
    }
    if (ids === undefined) return { images, missing: [], problems: all }
    const there = new Set([...images, ...all].map(({ id }) => id))
    return {
      images: images.filter(({ id }) => ids.includes(id)),
      missing: ids.filter((id) => !there.has(id)),
      problems: all.filter(({ id }) => ids.includes(id)),
    }
  }

  async deleteImage(id: string): Promise<void> {
    if (id === SCRATCH) {
      throw new InvalidArgumentError(
        `Image "${SCRATCH}" goes only together with its store`,
      )
    }
    await this.#turns.run(id, async () => {
      await this.#settle(async () => {
        const condition = await this.#conditionOf(id)
        if (condition === 'absent') throw new ImageNotFoundError(this.name, id)
        await this.#owners.refuseAny(id)
        if (condition === 'damaged') await this.#records.setAside(id)
        else await this.#around.removals.take(this.#records.path(id))
      })
      await this.#around.removals.sweep()
    })
  }

  /** Who needs any of the images, by name. */
  async holders(): Promise<readonly string[]> {
    return (await this.#owners.all()).map(({ id }) => id)
  }

  /** Gives the store a scratch, if it has none that can be used. */
  async repairScratch(): Promise<void> {
    await this.#settle(async () => {
      const condition = await this.#conditionOf(SCRATCH)
      if (condition === 'whole') return
      if (condition === 'damaged') await this.#records.setAside(SCRATCH)
      const { drafts, driver } = this.#around
      await drafts.make(async (making) => {
        await driver.create(making.layer, NO_PARENT)
        await making.write(IMAGE_RECORD, scratchRecord(making.layer))
        await making.publish(this.#records.path(SCRATCH))
      })
    })
  }

  async usage(id?: string): Promise<number> {
    if (id !== undefined) return (await this.#records.read(id)).size
    const { records } = await this.#records.list()
    return [...records.values()].reduce((sum, { size }) => sum + size, 0)
  }

  async locate(id: string): Promise<string> {
    const { selfLink } = imageOf(this.name, await this.#records.read(id))
    return selfLink
  }

  async owners(link: string): Promise<readonly Owner[]> {
    const ref = parseRef(link)
    if (ref.kind !== 'image' || ref.store !== this.name) {
      throw new InvalidArgumentError(
        `"${link}" does not name an image in store "${this.name}"`,
      )
    }
    await this.#records.read(ref.id)
    return this.#owners.of(ref.id)
  }

  /** An image is sealed: what it holds never changes. */
  async openSink(id: string): Promise<never> {
    await this.#records.read(id)
    throw new InUseError(
      `Image "${id}" is sealed: write a new image that lies on it instead`,
    )
  }

  async import(id: string): Promise<never> {
    return this.openSink(id)
  }

  async openSource(id: string): Promise<DataSource> {
    return openImage(await this.#visit(id), this.#around.driver)
  }

  async export(
    id: string,
    { ancestor, ...options }: DifferenceOptions = {},
  ): Promise<Readable> {
    const { driver } = this.#around
    if (ancestor === undefined) {
      return exportOnce(await this.openSource(id), options)
    }
    const visit = await this.#visit(id)
    try {
      const from = await this.#visit(ancestor)
      return await exportDifference(visit, from, driver, options)
    } catch (error) {
      visit.leave()
      throw error
    }
  }

  /** From here on the image stays until the visit ends. */
  #visit(id: string): Promise<Visit> {
    return this.#settle(async () =>
      this.#owners.readers.enter(await this.#records.read(id)),
    )
  }

  /** The image of that id, if it is whole; a damaged one makes room if it can. */
  async #existing({
    id,
    digest,
  }: ImageDraft): Promise<ImageRecord | undefined> {
    if ((await this.#conditionOf(id)) === 'damaged') {
      await this.#settle(async () => {
        await this.#owners.refuseAny(id)
        await this.#records.setAside(id)
      })
      return undefined
    }
    const record = await this.#records.find(id)
    if (record === undefined || record.digest === digest) return record
    throw new DigestMismatchError(id, digest, record.digest)
  }

  async #write(
    draft: ImageDraft,
    tar: Readable,
    signal?: AbortSignal,
  ): Promise<ImageRecord> {
    const parent = await this.#settle(() => this.#beginOn(draft))
    try {
      return await this.#around.drafts.make(async (making) => {
        const record = await this.#fill(making, parent, draft, tar, signal)
        await this.#settle(() => this.#publish(making, record))
        return record
      })
    } finally {
      this.#owners.writing.delete(draft.id)
    }
  }

  /** From here on the parent stays, because the draft lies on it. */
  async #beginOn({ id, parent: parentId }: ImageDraft): Promise<ImageRecord> {
    const parent = await this.#records.read(parentId)
    const { maxLayerDepth } = this.#around
    if (parent.depth >= maxLayerDepth) {
      throw new InvalidArgumentError(
        `Image "${id}" cannot lie on "${parentId}": at most ${maxLayerDepth} images lie on one another`,
      )
    }
    this.#owners.writing.set(id, parentId)
    return parent
  }

  async #fill(
    { layer }: Draft,
    parent: ImageRecord,
    draft: ImageDraft,
    tar: Readable,
    signal?: AbortSignal,
  ): Promise<ImageRecord> {
    const { driver } = this.#around
    const below = layerBelow(parent)
    await driver.create(layer, below)
    const { digest, diffId, result } = await receive(
      tar,
      (layerTar) => driver.applyDiff(layer, below, layerTar),
      signal,
    )
    if (digest !== draft.digest) {
      throw new DigestMismatchError(draft.id, draft.digest, digest)
    }
    // The record that follows must not outlive a power cut that the files do not.
    await syncFilesystem(this.#around.root)
    return {
      id: draft.id,
      parent: parent.id,
      layer,
      digest,
      diffId,
      size: result,
      depth: parent.depth + 1,
      createdAt: new Date().toISOString(),
      metadata: draft.metadata ?? {},
    }
  }

  async #publish(making: Draft, record: ImageRecord): Promise<void> {
    await this.#refuseBeyondQuota(record)
    await making.write(IMAGE_RECORD, record)
    if (await making.publish(this.#records.path(record.id))) return
    throw new AlreadyExistsError(`Image "${record.id}" already exists`)
  }

  async #refuseBeyondQuota({ id, size }: ImageRecord): Promise<void> {
    const { imageQuota } = this.#around
    if (imageQuota === Infinity) return
    const used = await this.usage()
    if (used + size <= imageQuota) return
    throw new InvalidArgumentError(
      `Image "${id}" does not fit: store "${this.name}" may hold ${imageQuota} bytes, has ${used}, and would get ${size}`,
    )
  }

  async #conditionOf(id: string): Promise<'absent' | 'whole' | 'damaged'> {
    try {
      const record = await this.#records.find(id)
      if (record === undefined) return 'absent'
      const isThere = await this.#around.driver.exists(record.layer)
      return isThere ? 'whole' : 'damaged'
    } catch (error) {
      if (error instanceof DamagedImageError) return 'damaged'
      throw error
    }
  }

  /** One at a time in the store: what decides whether an image may come or go. */
  #settle<T>(task: () => Promise<T>): Promise<T> {
    return this.#settling.run(this.name, task)
  }
}

const NO_LAYER = 'its layer does not exist'

const DIGEST = /^sha256:[0-9a-f]{64}$/

function checkDraft({ id, digest }: ImageDraft): void {
  if (!isStorageName(id)) {
    throw new InvalidArgumentError(
      `Image id "${id}" is not valid: it has 1 to 255 of [a-zA-Z0-9_.-]`,
    )
  }
  if (!DIGEST.test(digest)) {
    throw new InvalidArgumentError(
      `Digest "${digest}" is not valid: it must be sha256: and 64 hex digits`,
    )
  }
}
