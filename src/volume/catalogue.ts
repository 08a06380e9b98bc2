import { join } from 'node:path'
import {
  AlreadyExistsError,
  InUseError,
  UnavailableError,
} from '../base/errors.ts'
import {
  AttachedStore,
  type AttachOptions,
  type StoreStatus,
  type VolumeStoreSource,
} from './attached-store.ts'
import type { CatalogueEntry } from './store-entries.ts'
import { VolumeStoreNotFoundError } from './volume-errors.ts'

export interface CatalogueOptions extends Omit<AttachOptions, 'journal'> {
  /** Where the names of the stores' volumes are noted, a file for each store. */
  readonly directory: string
}

/**
 * What all stores together are known to have. No question to it waits for a store,
 * but for `settled` and `reached`.
 */
export class Catalogue {
  readonly #options: CatalogueOptions
  readonly #stores = new Map<string, AttachedStore>()

  constructor(options: CatalogueOptions) {
    this.#options = options
  }

  /**
   * Attaches a store, and begins to open it.
   *
   * @throws AlreadyExistsError when there is one of that name.
   */
  async attach(source: VolumeStoreSource): Promise<void> {
    const { name } = source
    if (this.#stores.has(name)) {
      throw new AlreadyExistsError(`Volume store "${name}" already exists`)
    }
    const { directory, holds, log } = this.#options
    const journal = join(directory, name)
    const store = await AttachedStore.attach(source, { journal, holds, log })
    this.#stores.set(name, store)
  }

  /**
   * Lets go of a store. Its volumes stay where they are, and are known no more.
   *
   * @throws InUseError while any of its volumes is held.
   */
  async detach(name: string): Promise<void> {
    const store = this.store(name)
    const held = [...store.names()].filter(
      (volume) => this.#options.holds.count(volume) > 0,
    )
    if (held.length > 0) {
      throw new InUseError(
        `Volume store "${name}" is in use: somebody holds ${held.join(', ')}`,
      )
    }
    this.#stores.delete(name)
    await store.close()
  }

  /** How the stores are, by name. */
  stores(): readonly StoreStatus[] {
    return [...this.#stores.keys()]
      .toSorted()
      .map((name) => this.store(name).status())
  }

  attached(): Iterable<AttachedStore> {
    return this.#stores.values()
  }

  /** @throws VolumeStoreNotFoundError */
  store(name: string): AttachedStore {
    const store = this.#stores.get(name)
    if (store !== undefined) return store
    throw new VolumeStoreNotFoundError(name, [...this.#stores.keys()])
  }

  /** Settles when each store was reached, or could not be for the first time. */
  async opened(): Promise<void> {
    for (const store of this.#stores.values()) await store.tried()
  }

  /**
   * Settles when no store is being opened any more that has `name`, or whose names
   * are not known.
   */
  async settled(name?: string): Promise<void> {
    for (const store of this.#stores.values()) {
      if (!store.isOpening) continue
      const has = name !== undefined && store.entry(name) !== undefined
      if (has || !store.knowsNames) await store.tried()
    }
  }

  /**
   * Like `settled`, for whoever needs the volume itself: the store that has it is
   * tried again at once if it is down.
   */
  async reached(name: string): Promise<void> {
    await this.settled(name)
    for (const store of this.#stores.values()) {
      if (store.entry(name) !== undefined) await store.retry()
    }
  }

  /**
   * What is known under `name`, or `undefined` for a name that is surely absent.
   *
   * @throws UnavailableError when a store whose names are not known might have it.
   */
  entry(name: string): CatalogueEntry | undefined {
    const stores = [...this.#stores.values()]
    const entries = stores.flatMap((store) => store.entry(name) ?? [])
    const [entry] = entries
    if (entry !== undefined) return single(entry, entries)
    const unknown = stores.find((store) => !store.knowsNames)
    if (unknown === undefined) return undefined
    throw new UnavailableError(
      `Whether volume "${name}" exists is not known: volume store "${unknown.name}" has never been reached`,
    )
  }

  /** Whether any store is known to have the name. */
  has(name: string): boolean {
    const stores = [...this.#stores.values()]
    return stores.some((store) => store.entry(name) !== undefined)
  }

  /** All that is known, by name. */
  list(): readonly CatalogueEntry[] {
    const stores = [...this.#stores.values()]
    const all = stores.flatMap((store) => [...store.entries()])
    // Nearly all are in order already, so that it takes a millisecond for thousands.
    const sorted = all.toSorted(byName)
    if (stores.length === 1) return sorted
    return sorted.flatMap((entry, at) => {
      const { name } = entry
      if (name === sorted[at - 1]?.name) return []
      if (name !== sorted[at + 1]?.name) return entry
      return this.entry(name) ?? entry
    })
  }

  async close(): Promise<void> {
    for (const store of this.#stores.values()) await store.close()
  }
}

function byName(one: CatalogueEntry, other: CatalogueEntry): number {
  if (one.name === other.name) return 0
  return one.name < other.name ? -1 : 1
}

/** Of two volumes with one name, using either would be a guess. */
function single(
  first: CatalogueEntry,
  all: readonly CatalogueEntry[],
): CatalogueEntry {
  if (all.length === 1) return first
  const stores = all.map(({ store }) => store).join(', ')
  return { ...first, problem: `it is in more than one store: ${stores}` }
}
