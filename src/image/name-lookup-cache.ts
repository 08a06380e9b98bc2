import { KeyedMutex } from '../base/keyed-mutex.ts'
import type { StoreRegistry } from '../storage/store-registry.ts'
import { CachedImageStore } from './cached-image-store.ts'
import type { ImageStore } from './image-store.ts'
import type { DeleteStoreOptions, ImageStorer } from './image-storer.ts'

/**
 * Image stores by name, each with a memory of its images, and each registered for
 * import and export as `images/NAME` for as long as it is known.
 */
export class NameLookupCache implements ImageStorer, Disposable {
  readonly #storer: ImageStorer
  readonly #registry: StoreRegistry
  readonly #stores = new Map<string, CachedImageStore>()
  readonly #registrations = new Map<string, readonly Disposable[]>()
  readonly #turns = new KeyedMutex()

  constructor(storer: ImageStorer, registry: StoreRegistry) {
    this.#storer = storer
    this.#registry = registry
  }

  async createImageStore(name: string): Promise<CachedImageStore> {
    return this.#turns.run(name, async () =>
      this.#keep(await this.#storer.createImageStore(name)),
    )
  }

  async getImageStore(name: string): Promise<CachedImageStore> {
    return this.#turns.run(name, async () => {
      const known = this.#stores.get(name)
      return known ?? this.#keep(await this.#storer.getImageStore(name))
    })
  }

  listImageStores(): Promise<readonly string[]> {
    return this.#storer.listImageStores()
  }

  async deleteImageStore(
    name: string,
    options?: DeleteStoreOptions,
  ): Promise<void> {
    await this.#turns.run(name, async () => {
      await this.#storer.deleteImageStore(name, options)
      this.#forget(name)
    })
  }

  async repairImageStore(name: string): Promise<CachedImageStore> {
    return this.#turns.run(name, async () => {
      const store = await this.#storer.repairImageStore(name)
      this.#forget(name)
      return this.#keep(store)
    })
  }

  /** Takes all stores out of the registry. */
  [Symbol.dispose](): void {
    for (const name of this.#stores.keys()) this.#forget(name)
  }

  #keep(store: ImageStore): CachedImageStore {
    const cached = new CachedImageStore(store)
    const key = `images/${store.name}`
    this.#stores.set(store.name, cached)
    this.#registrations.set(store.name, [
      this.#registry.registerImporter(key, cached),
      this.#registry.registerExporter(key, cached),
    ])
    return cached
  }

  #forget(name: string): void {
    const registrations = this.#registrations.get(name) ?? []
    for (const registration of registrations) registration[Symbol.dispose]()
    this.#registrations.delete(name)
    this.#stores.delete(name)
  }
}
