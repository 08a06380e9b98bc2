import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgumentError } from '../base/errors.ts'
import { KeyedMutex } from '../base/keyed-mutex.ts'
import { type Log, SILENT } from '../base/log.ts'
import { type Driver, NO_PARENT } from '../graph/driver.ts'
import { writeFileAtomic } from '../state/atomic-file.ts'
import { settleFormat } from '../state/disk-format.ts'
import { exists, namesIn } from '../state/listing.ts'
import { formatRef, isStorageName } from '../storage/storage-ref.ts'
import { type Draft, Drafts } from './drafts.ts'
import { SCRATCH } from './image.ts'
import {
  DamagedImageError,
  ImageStoreExistsError,
  ImageStoreInUseError,
  ImageStoreNotFoundError,
} from './image-errors.ts'
import { formatRecord, readRecord, scratchRecord } from './image-record.ts'
import type { DeleteStoreOptions, ImageStorer } from './image-storer.ts'
import { LayerImageStore } from './layer-image-store.ts'
import * as layout from './layout.ts'
import { Removals } from './removals.ts'
import type { Surroundings } from './surroundings.ts'

/** Where image stores are, and how much may be in them. */
export interface ImageStorerOptions {
  /** The directory of all image stores; made where it is missing. */
  readonly root: string
  /** Keeps the content, on the filesystem of `root`. Nobody else creates layers in it. */
  readonly driver: Driver
  readonly maxLayerDepth?: number
  readonly imageQuota?: number
  readonly holders?: Surroundings['holders']
  readonly log?: Log
}

/** Image stores on any layer driver, see `layout.ts`. */
export class LayerImageStorer implements ImageStorer {
  readonly #around: Surroundings
  readonly #turns = new KeyedMutex()
  /** One for each name, because its calls take turns in it. */
  readonly #stores = new Map<string, LayerImageStore>()

  private constructor(around: Surroundings) {
    this.#around = around
  }

  /**
   * Opens what is in `root`, and clears away what a crash left half done.
   *
   * @throws NotSupportedError when a newer version wrote it.
   */
  static async open({
    root,
    driver,
    maxLayerDepth = Infinity,
    imageQuota = Infinity,
    holders = async () => [],
    log = SILENT,
  }: ImageStorerOptions): Promise<LayerImageStorer> {
    const { DAMAGED, DISK_FORMAT, DRAFTS, FORMAT_FILE, REMOVED, STORES } =
      layout
    await fs.mkdir(root, { recursive: true, mode: 0o700 })
    await settleFormat(join(root, FORMAT_FILE), DISK_FORMAT)
    for (const name of [DAMAGED, DRAFTS, REMOVED, STORES]) {
      await fs.mkdir(join(root, name), { recursive: true, mode: 0o700 })
    }
    const drafts = new Drafts(root, driver, log)
    const removals = new Removals(root, driver, log)
    const storer = new LayerImageStorer({
      root,
      driver,
      drafts,
      removals,
      maxLayerDepth,
      imageQuota,
      holders,
      log,
    })
    await storer.sweep()
    return storer
  }

  /**
   * Clears away drafts whose makers are gone, and finishes removals. What is being
   * written meanwhile is not touched.
   */
  async sweep(): Promise<void> {
    await this.#around.drafts.sweep()
    await this.#around.removals.sweep()
  }

  async createImageStore(name: string): Promise<LayerImageStore> {
    if (!isStorageName(name)) {
      throw new InvalidArgumentError(
        `Image store "${name}" cannot be created: a name has 1 to 255 of [a-zA-Z0-9_.-]`,
      )
    }
    return this.#turns.run(name, async () => {
      if (await exists(this.#path(name))) throw new ImageStoreExistsError(name)
      await this.#around.drafts.make(async (draft) => {
        await this.#furnish(draft)
        if (await draft.publish(this.#path(name))) return
        throw new ImageStoreExistsError(name)
      })
      return this.#store(name)
    })
  }

  async getImageStore(name: string): Promise<LayerImageStore> {
    await this.#refuseAbsent(name)
    const what = `Image store "${name}"`
    await readRecord(join(this.#path(name), layout.STORE_RECORD), what)
    const store = this.#store(name)
    try {
      await store.getImage(SCRATCH)
    } catch (cause) {
      const reason = `its image "${SCRATCH}" is missing: repair it`
      throw new DamagedImageError(what, reason, { cause })
    }
    return store
  }

  async listImageStores(): Promise<readonly string[]> {
    const names = await namesIn(join(this.#around.root, layout.STORES))
    return names.map((store) => formatRef({ kind: 'image-store', store }))
  }

  async deleteImageStore(
    name: string,
    { force = false }: DeleteStoreOptions = {},
  ): Promise<void> {
    await this.#turns.run(name, async () => {
      await this.#refuseAbsent(name)
      const store = this.#store(name)
      const holders = await store.holders()
      const { images, problems } = await store.listImages()
      const inside = force ? [] : [...images, ...problems]
      const reasons = [...holders, ...inside.map(({ id }) => `image "${id}"`)]
      if (reasons.length > 0) throw new ImageStoreInUseError(name, reasons)
      await this.#around.removals.take(this.#path(name))
      this.#stores.delete(name)
    })
    await this.#around.removals.sweep()
  }

  async repairImageStore(name: string): Promise<LayerImageStore> {
    return this.#turns.run(name, async () => {
      await this.#refuseAbsent(name)
      const path = this.#path(name)
      for (const part of [layout.IMAGES, layout.WRITABLE]) {
        await fs.mkdir(join(path, part), { recursive: true, mode: 0o700 })
      }
      await writeFileAtomic(join(path, layout.STORE_RECORD), formatRecord({}))
      await this.#store(name).repairScratch()
      return this.#store(name)
    })
  }

  /** What every store has. */
  async #furnish(draft: Draft): Promise<void> {
    const { IMAGE_RECORD, IMAGES, STORE_RECORD, WRITABLE } = layout
    await this.#around.driver.create(draft.layer, NO_PARENT)
    for (const name of [IMAGES, WRITABLE, join(IMAGES, SCRATCH)]) {
      await draft.mkdir(name)
    }
    const scratch = join(IMAGES, SCRATCH, IMAGE_RECORD)
    await draft.write(scratch, scratchRecord(draft.layer))
    await draft.write(STORE_RECORD, {})
  }

  async #refuseAbsent(name: string): Promise<void> {
    if (isStorageName(name) && (await exists(this.#path(name)))) return
    throw new ImageStoreNotFoundError(name)
  }

  #store(name: string): LayerImageStore {
    const store =
      this.#stores.get(name) ?? new LayerImageStore(name, this.#around)
    this.#stores.set(name, store)
    return store
  }

  #path(name: string): string {
    return layout.storePath(this.#around.root, name)
  }
}
