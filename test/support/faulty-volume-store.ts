import type { VolumeOptions } from '../../src/volume/volume-options.ts'
import type { StoreSnapshots } from '../../src/volume/store-snapshots.ts'
import type { StoreTrash } from '../../src/volume/store-trash.ts'
import type {
  VolumeListing,
  VolumeStorer,
} from '../../src/volume/volume-storer.ts'
import type { StoreRoom, VolumeUsage } from '../../src/volume/volume-usage.ts'
import type { Volume } from '../../src/volume/volume.ts'

type Renames = NonNullable<VolumeStorer['rename']>
type Resizes = NonNullable<VolumeStorer['resize']>

export type StoreCall =
  | 'create'
  | 'get'
  | 'list'
  | 'mount'
  | 'unmount'
  | 'amend'
  | 'usage'
  | 'room'
  | 'remove'

/** What happens to a call: it may wait, or throw, before or after it is done. */
export type Fault = (call: StoreCall, name: string) => Promise<void> | void

/** A store with another one behind it, and trouble on the way there or back. */
export class FaultyVolumeStore implements VolumeStorer {
  readonly #store: VolumeStorer
  /** Runs before the store does; a failure here means that nothing was done. */
  before: Fault = () => undefined
  /** Runs after the store did; a failure here means that nobody heard of it. */
  after: Fault = () => undefined

  // What only some stores have is as it is behind this one.
  readonly trash?: StoreTrash
  readonly snapshots?: StoreSnapshots
  readonly rename?: Renames
  readonly resize?: Resizes

  constructor(store: VolumeStorer) {
    this.#store = store
    const { trash, snapshots } = store
    if (trash) this.trash = trash
    if (snapshots) this.snapshots = snapshots
    if (store.rename) this.rename = store.rename.bind(store)
    if (store.resize) this.resize = store.resize.bind(store)
  }

  get name(): string {
    return this.#store.name
  }

  get kind(): string {
    return this.#store.kind
  }

  get capabilities(): VolumeStorer['capabilities'] {
    return this.#store.capabilities
  }

  async create(name: string, options: VolumeOptions): Promise<Volume> {
    return this.#faulty('create', name, () => this.#store.create(name, options))
  }

  async get(name: string): Promise<Volume> {
    return this.#faulty('get', name, () => this.#store.get(name))
  }

  async list(): Promise<VolumeListing> {
    return this.#faulty('list', '', () => this.#store.list())
  }

  async mount(name: string): Promise<string> {
    return this.#faulty('mount', name, () => this.#store.mount(name))
  }

  async unmount(name: string): Promise<void> {
    return this.#faulty('unmount', name, () => this.#store.unmount(name))
  }

  async mounted(
    volumes: readonly Volume[],
  ): Promise<ReadonlyMap<string, boolean>> {
    return (await this.#store.mounted?.(volumes)) ?? new Map()
  }

  async amend(name: string, options: VolumeOptions): Promise<Volume> {
    return this.#faulty('amend', name, () => this.#store.amend(name, options))
  }

  async usage(name: string): Promise<VolumeUsage> {
    return this.#faulty('usage', name, () => this.#store.usage(name))
  }

  async room(): Promise<StoreRoom> {
    return this.#faulty('room', '', () => this.#store.room())
  }

  async remove(name: string): Promise<void> {
    return this.#faulty('remove', name, () => this.#store.remove(name))
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  async #faulty<T>(
    call: StoreCall,
    name: string,
    act: () => Promise<T>,
  ): Promise<T> {
    await this.before(call, name)
    const result = await act()
    await this.after(call, name)
    return result
  }
}
