import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { UnavailableError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { isTurnOver, nextTurn } from '../base/next-turn.ts'
import { sweepDrafts } from '../state/atomic-file.ts'
import { type Holders, Holds } from '../state/holds.ts'
import {
  type StoreStatus,
  UNKNOWN_HOLDER,
  type VolumeStoreSource,
} from './attached-store.ts'
import type { CatalogueEntry } from './store-entries.ts'
import { Catalogue } from './catalogue.ts'
import { changedOptions } from './changed-options.ts'
import { isOwnHolder } from './own-holder.ts'
import type { TrashedVolume } from './store-trash.ts'
import { VolumeChanges } from './volume-changes.ts'
import { VolumeCreation } from './volume-creation.ts'
import { VolumeDesk } from './volume-desk.ts'
import { type RemoveOptions, VolumeRemoval } from './volume-removal.ts'
import { VolumeSnapshots } from './volume-snapshots.ts'
import { VolumeTrash } from './volume-trash.ts'
import { VolumeUnavailableError } from './volume-errors.ts'
import type { VolumeCapabilities } from './volume-storer.ts'
import type { StoreRoom, VolumeUsage } from './volume-usage.ts'
import type { Volume } from './volume.ts'

/**
 * Below Docker's own 60 s, and below the 30 s that it gives a managed plugin: who
 * waits longer hears from Docker, not from us, and Docker then asks again.
 */
const DEADLINE = 20_000

/** What a catalogue is made of. */
export interface CacheOptions {
  /** Where holds are kept, beneath `state`. */
  readonly dataRoot: string
  readonly stores: readonly VolumeStoreSource[]
  readonly log: Log
  /** Milliseconds that one call may take, its wait for others included. */
  readonly deadline?: number
  /** Whether removed volumes go to the trash of their store. */
  readonly keepsRemoved?: boolean
}

/**
 * All volumes of all stores under one roof: a catalogue in memory that answers
 * for them, and the order in which they may be acted upon.
 *
 * Looking up reads the catalogue alone, so that it is quick whatever a store is
 * doing. What it cannot say for sure, it does not say: while a store's names are
 * not known, no name is said to be absent.
 *
 * Holders are those whom `mount` was called for, as a multiset: Docker repeats
 * its mount ids. They outlive this process, though not a reboot.
 */
export class VolumeLookupCache {
  /** What was removed, and the way back. */
  readonly trash: VolumeTrash
  /** What volumes held at earlier moments. */
  readonly snapshots: VolumeSnapshots
  /** What else can be done with volumes: clones, other names, sizes and options. */
  readonly changes: VolumeChanges
  readonly #desk: VolumeDesk
  readonly #creation: VolumeCreation
  readonly #removal: VolumeRemoval

  private constructor(desk: VolumeDesk, keepsRemoved: boolean) {
    this.trash = new VolumeTrash(desk)
    this.#desk = desk
    this.#creation = new VolumeCreation(desk)
    this.snapshots = new VolumeSnapshots(desk)
    this.changes = new VolumeChanges(desk, this.#creation)
    this.#removal = new VolumeRemoval(desk, keepsRemoved)
  }

  /** Begins to open the stores. It does not wait for them; `opened` does. */
  static async open({
    dataRoot,
    stores,
    log,
    deadline = DEADLINE,
    keepsRemoved = true,
  }: CacheOptions): Promise<VolumeLookupCache> {
    const state = join(dataRoot, 'state')
    const directory = join(state, 'volume-names')
    await fs.mkdir(directory, { recursive: true, mode: 0o711 })
    for (const swept of [state, directory]) await sweepDrafts(swept)
    const holds = await Holds.open(join(state, 'volume-holds'))
    const catalogue = new Catalogue({ directory, holds, log })
    for (const source of stores) await catalogue.attach(source)
    return new VolumeLookupCache(
      new VolumeDesk({ catalogue, holds, log, deadline }),
      keepsRemoved,
    )
  }

  /** Settles when each store is online, or has failed to come for the first time. */
  async opened(): Promise<void> {
    await this.#desk.catalogue.opened()
  }

  /**
   * Adds a store while others are in use.
   *
   * @throws AlreadyExistsError when there is one of that name.
   */
  async addStore(source: VolumeStoreSource): Promise<void> {
    await this.#desk.catalogue.attach(source)
  }

  /**
   * Lets go of a store and forgets its volumes, which stay where they are.
   *
   * @throws VolumeStoreNotFoundError
   * @throws InUseError while any of its volumes is held.
   */
  async removeStore(name: string): Promise<void> {
    await this.#desk.catalogue.detach(name)
  }

  /** How the stores are, by name. */
  stores(): readonly StoreStatus[] {
    return this.#desk.catalogue.stores()
  }

  /** Reads a store anew: volumes may have come and gone by other hands. */
  async refresh(store: string): Promise<void> {
    await this.#desk.catalogue.store(store).refresh()
  }

  /**
   * @throws VolumeNotFoundError when no store has the volume.
   * @throws UnavailableError when the volume cannot be used now, or a store whose
   *   names are not known might have it.
   */
  get(name: string): Volume {
    return this.#desk.volume(name)
  }

  /**
   * What the catalogue has under `name`, be it usable or not.
   *
   * @throws VolumeNotFoundError when no store has the name.
   * @throws UnavailableError when a store whose names are not known might have it.
   */
  entry(name: string): CatalogueEntry {
    return this.#desk.entry(name)
  }

  /**
   * Like `entry`, but while a store that may have the name is being opened, waits
   * for that.
   */
  async settledEntry(name: string): Promise<CatalogueEntry> {
    const what = `Opening the store of volume "${name}"`
    await this.#desk.inTime(what, this.#desk.catalogue.settled(name))
    return this.entry(name)
  }

  /** Whether a store is known to have the name. */
  has(name: string): boolean {
    return this.#desk.catalogue.has(name)
  }

  /** All that the catalogue has, by name. */
  list(): readonly CatalogueEntry[] {
    return this.#desk.catalogue.list()
  }

  /** Like `list`, but waits while a store whose names are not known is opened. */
  async settledList(): Promise<readonly CatalogueEntry[]> {
    const what = 'Opening the volume stores'
    await this.#desk.inTime(what, this.#desk.catalogue.settled())
    if (isTurnOver()) await nextTurn()
    return this.list()
  }

  holders(name: string): Holders {
    return this.#desk.holds.holders(name)
  }

  /** The names of the volumes that somebody holds. */
  held(): readonly string[] {
    return this.#desk.holds.keys().filter((name) => this.has(name))
  }

  /**
   * Creates a volume in the store that its options name.
   *
   * @throws InvalidArgumentError for a name or an option that cannot be.
   * @throws VolumeStoreNotFoundError
   * @throws NotSupportedError for an option that the store cannot honour.
   * @throws VolumeExistsError when any store has the name.
   */
  async create(
    name: string,
    typed: Readonly<Record<string, string>>,
  ): Promise<Volume> {
    return this.#creation.create(name, typed)
  }

  /**
   * Like `create`, for a volume that something has yet to be put into. Until `finish`
   * says that it is whole, nobody else mounts it, and the next start removes it
   * before it is seen.
   *
   * @param doing What makes it whole, such as `import`.
   */
  async begin(
    name: string,
    typed: Readonly<Record<string, string>>,
    doing: string,
  ): Promise<Volume> {
    return this.#creation.begin(name, typed, doing)
  }

  /** @throws VolumeNotFoundError when there is none of that name that has begun. */
  async finish(name: string): Promise<Volume> {
    return this.#creation.finish(name)
  }

  /** Shows the volume's files to `holder` at the path that it returns. */
  async mount(name: string, holder: string): Promise<string> {
    return this.#desk.turn('Mounting', [name], async (turn) => {
      const store = this.#desk.storeOf(name)
      const storer = store.storer()
      refuseUnfinished(this.#desk.volume(name), holder)
      // Recorded first: after a crash in between, the kernel says that nothing is
      // mounted and the hold is void. The other way round a mount would be left.
      await this.#desk.holds.add(name, holder)
      try {
        const path = await this.#desk.ask(store, () => storer.mount(name))
        if (!turn.isLate) return path
        throw new UnavailableError(`Volume "${name}" was mounted too late`)
      } catch (error) {
        await this.#desk.releaseAfter(error, store, name, holder)
        throw error
      }
    })
  }

  /** Takes back one `mount` by `holder`. One that was never made is no failure. */
  async unmount(name: string, holder: string): Promise<void> {
    await this.#desk.turn('Unmounting', [name], async () => {
      const entry = this.#desk.catalogue.entry(name)
      if (entry === undefined) return
      const store = this.#desk.catalogue.store(entry.store)
      const known = this.#desk.holds.holders(name).has(holder)
      await this.#desk.release(store, name, known ? holder : UNKNOWN_HOLDER)
    })
  }

  /**
   * Removes a volume: to the trash of its store, and answers what it is there; or
   * for good, where that was asked for, where the store keeps no trash, and where
   * nobody would miss it because Docker made its name up.
   *
   * @throws VolumeInUseError when somebody holds it, unless holders are dropped.
   * @throws InUseError when it is protected.
   */
  async remove(
    name: string,
    options: RemoveOptions = {},
  ): Promise<TrashedVolume | undefined> {
    return this.#removal.remove(name, options)
  }

  /**
   * Makes a volume of a directory that exists. Its files stay where they are and are
   * never deleted: removing the volume only forgets it.
   *
   * @throws as `create` does.
   */
  async adopt(
    name: string,
    path: string,
    typed: Readonly<Record<string, string>> = {},
  ): Promise<Volume> {
    return this.create(name, { ...typed, path })
  }

  /**
   * Forgets an adopted volume, whose directory stays as it is.
   *
   * @throws InvalidArgumentError when it was not adopted: its files are in the store.
   * @throws VolumeInUseError while somebody holds it.
   * @throws InUseError when it is protected.
   */
  async release(name: string): Promise<void> {
    await this.#removal.release(name)
  }

  /** Refuses removal of the volume from now on, or allows it again. */
  async protect(name: string, isProtected: boolean): Promise<Volume> {
    return this.#desk.turn('Protecting', [name], async () => {
      const { options } = this.get(name)
      const store = this.#desk.storeOf(name)
      const protect = isProtected ? 'true' : undefined
      const changed = changedOptions(options, { protect })
      const volume = await this.#desk.ask(store, () =>
        store.storer().amend(name, changed),
      )
      await store.keep(volume)
      return volume
    })
  }

  /** How much the volume holds. It may take long, and delays no other call. */
  async usage(name: string): Promise<VolumeUsage> {
    await this.settledEntry(name)
    const store = this.#desk.storeOf(name)
    return this.#desk.ask(store, () => store.storer().usage(name))
  }

  /**
   * What a store can do, and why not what it cannot.
   *
   * @throws UnavailableError while it is down.
   */
  capabilities(store: string): VolumeCapabilities {
    return this.#desk.catalogue.store(store).storer().capabilities
  }

  /** How much room a store has. */
  async room(store: string): Promise<StoreRoom> {
    const attached = this.#desk.catalogue.store(store)
    const what = `Asking volume store "${store}" for its room`
    return this.#desk.ask(attached, () =>
      this.#desk.inTime(what, attached.storer().room()),
    )
  }

  /** Lets go of the stores. Volumes stay mounted, and held by whom they were. */
  async close(): Promise<void> {
    await this.#desk.catalogue.close()
    await this.#desk.holds.close()
  }
}

/** What is half made is mounted by what makes it, and by nobody else. */
function refuseUnfinished({ name, options }: Volume, holder: string): void {
  const { unfinished } = options
  if (unfinished === undefined || isOwnHolder(holder)) return
  throw new VolumeUnavailableError(
    `Volume "${name}" cannot be used now: its ${unfinished} is under way, try again when that is done`,
  )
}
