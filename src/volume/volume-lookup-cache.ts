import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { withDeadline } from '../base/deadline.ts'
import { InUseError, messageOf, UnavailableError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { TimedTurns, type Turn } from '../base/timed-turns.ts'
import { type Holders, Holds } from '../state/holds.ts'
import {
  type AttachedStore,
  type CatalogueEntry,
  type StoreStatus,
  UNKNOWN_HOLDER,
  type VolumeStoreSource,
} from './attached-store.ts'
import { Catalogue } from './catalogue.ts'
import { refuseUnable } from './refuse-unable.ts'
import {
  VolumeExistsError,
  VolumeInUseError,
  VolumeNotFoundError,
} from './volume-errors.ts'
import { checkVolumeName } from './volume-name.ts'
import { parseVolumeOptions, sourceOf } from './volume-options.ts'
import type { VolumeStorer } from './volume-storer.ts'
import type { Volume } from './volume.ts'

/**
 * Below Docker's own 60 s, and below the 30 s that it gives a managed plugin: who
 * waits longer hears from Docker, not from us, and Docker then asks again.
 */
const DEADLINE = 20_000

export interface CacheOptions {
  /** Where holds are kept, beneath `state`. */
  readonly dataRoot: string
  readonly stores: readonly VolumeStoreSource[]
  readonly log: Log
  /** Milliseconds that one call may take, its wait for others included. */
  readonly deadline?: number
}

export interface RemoveOptions {
  /** Whether holders lose their hold instead of standing in the way. */
  readonly dropHolders?: boolean
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
  readonly #catalogue: Catalogue
  readonly #holds: Holds
  readonly #turns: TimedTurns
  readonly #deadline: number
  readonly #log: Log

  private constructor(
    catalogue: Catalogue,
    holds: Holds,
    { log, deadline = DEADLINE }: CacheOptions,
  ) {
    this.#catalogue = catalogue
    this.#holds = holds
    this.#turns = new TimedTurns(deadline)
    this.#deadline = deadline
    this.#log = log
  }

  /** Begins to open the stores. It does not wait for them; `opened` does. */
  static async open(options: CacheOptions): Promise<VolumeLookupCache> {
    const { dataRoot, stores, log } = options
    const state = join(dataRoot, 'state')
    const directory = join(state, 'volume-names')
    await fs.mkdir(directory, { recursive: true, mode: 0o711 })
    const holds = await Holds.open(join(state, 'volume-holds'))
    const catalogue = new Catalogue({ directory, holds, log })
    for (const source of stores) await catalogue.attach(source)
    return new VolumeLookupCache(catalogue, holds, options)
  }

  /** Settles when each store is online, or has failed to come for the first time. */
  async opened(): Promise<void> {
    await this.#catalogue.opened()
  }

  /**
   * Adds a store while others are in use.
   *
   * @throws AlreadyExistsError when there is one of that name.
   */
  async addStore(source: VolumeStoreSource): Promise<void> {
    await this.#catalogue.attach(source)
  }

  /**
   * Lets go of a store and forgets its volumes, which stay where they are.
   *
   * @throws VolumeStoreNotFoundError
   * @throws InUseError while any of its volumes is held.
   */
  async removeStore(name: string): Promise<void> {
    await this.#catalogue.detach(name)
  }

  /** How the stores are, by name. */
  stores(): readonly StoreStatus[] {
    return this.#catalogue.stores()
  }

  /** Reads a store anew: volumes may have come and gone by other hands. */
  async refresh(store: string): Promise<void> {
    await this.#catalogue.store(store).refresh()
  }

  /**
   * @throws VolumeNotFoundError when no store has the volume.
   * @throws UnavailableError when the volume cannot be used now, or a store whose
   *   names are not known might have it.
   */
  get(name: string): Volume {
    return usable(this.entry(name))
  }

  /**
   * What the catalogue has under `name`, be it usable or not.
   *
   * @throws VolumeNotFoundError when no store has the name.
   * @throws UnavailableError when a store whose names are not known might have it.
   */
  entry(name: string): CatalogueEntry {
    const entry = this.#catalogue.entry(name)
    if (entry !== undefined) return entry
    throw new VolumeNotFoundError(name)
  }

  /**
   * Like `entry`, but while a store that may have the name is being opened, waits
   * for that.
   */
  async settledEntry(name: string): Promise<CatalogueEntry> {
    const what = `Opening the store of volume "${name}"`
    await withDeadline(what, this.#deadline, this.#catalogue.settled(name))
    return this.entry(name)
  }

  /** All that the catalogue has, by name. */
  list(): readonly CatalogueEntry[] {
    return this.#catalogue.list()
  }

  /** Like `list`, but waits while a store whose names are not known is opened. */
  async settledList(): Promise<readonly CatalogueEntry[]> {
    const what = 'Opening the volume stores'
    await withDeadline(what, this.#deadline, this.#catalogue.settled())
    return this.list()
  }

  holders(name: string): Holders {
    return this.#holds.holders(name)
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
    checkVolumeName(name)
    const options = parseVolumeOptions(typed)
    const store = this.#catalogue.store(options.store)
    const make = async (turn: Turn): Promise<Volume> => {
      if (this.#catalogue.entry(name) !== undefined) {
        throw new VolumeExistsError(name)
      }
      await store.tried()
      const storer = store.storer()
      checkVolumeName(name, storer.capabilities.maxNameBytes)
      refuseUnable(options, storer)
      await this.#holds.clear(name)
      const volume = await this.#ask(store, () => store.create(name, options))
      if (turn.isLate) await storer.remove(name)
      else await store.keep(volume)
      return volume
    }
    return this.#turn('Creating', [name, ...sourceOf(options)], make)
  }

  /** Shows the volume's files to `holder` at the path that it returns. */
  async mount(name: string, holder: string): Promise<string> {
    return this.#turn('Mounting', [name], async (turn) => {
      const store = this.#catalogue.store(this.get(name).store)
      const storer = store.storer()
      // Recorded first: after a crash in between, the kernel says that nothing is
      // mounted and the hold is void. The other way round a mount would be left.
      await this.#holds.add(name, holder)
      try {
        const path = await this.#ask(store, () => storer.mount(name))
        if (!turn.isLate) return path
        throw new UnavailableError(`Volume "${name}" was mounted too late`)
      } catch (error) {
        await this.#releaseAfter(error, store, name, holder)
        throw error
      }
    })
  }

  /** Takes back one `mount` by `holder`. One that was never made is no failure. */
  async unmount(name: string, holder: string): Promise<void> {
    await this.#turn('Unmounting', [name], async () => {
      const entry = this.#catalogue.entry(name)
      if (entry === undefined) return
      const store = this.#catalogue.store(entry.store)
      const known = this.#holds.holders(name).has(holder)
      await this.#release(store, name, known ? holder : UNKNOWN_HOLDER)
    })
  }

  /**
   * Removes a volume, from the store and from the catalogue.
   *
   * @throws VolumeInUseError when somebody holds it, unless holders are dropped.
   * @throws InUseError when it is protected.
   */
  async remove(
    name: string,
    { dropHolders = false }: RemoveOptions = {},
  ): Promise<void> {
    await this.#turn('Removing', [name], async () => {
      const volume = this.get(name)
      if (volume.options.protect) {
        throw new InUseError(
          `Volume "${name}" is protected from removal: unprotect it first`,
        )
      }
      const holders = [...this.#holds.holders(name).keys()]
      if (holders.length > 0 && !dropHolders) {
        throw new VolumeInUseError(name, holders)
      }
      const store = this.#catalogue.store(volume.store)
      const storer = store.storer()
      await this.#ask(store, () => storer.unmount(name))
      await this.#holds.clear(name)
      await this.#ask(store, () => removed(storer, name))
      await store.forget(name)
    })
  }

  /** Lets go of the stores. Volumes stay mounted, and held by whom they were. */
  async close(): Promise<void> {
    await this.#catalogue.close()
    await this.#holds.close()
  }

  /** Drops one hold, and unmounts before that if it is the last. */
  async #release(
    store: AttachedStore,
    name: string,
    holder: string,
  ): Promise<void> {
    if (!this.#holds.holders(name).has(holder)) return
    if (this.#holds.count(name) === 1) {
      await this.#ask(store, () => store.storer().unmount(name))
    }
    await this.#holds.drop(name, holder)
  }

  /** Releases what a failed mount took; its failure is the one to be told. */
  async #releaseAfter(
    failure: unknown,
    store: AttachedStore,
    name: string,
    holder: string,
  ): Promise<void> {
    try {
      await this.#release(store, name, holder)
    } catch (error) {
      this.#log.warn('Hold left by a failed mount', {
        volume: name,
        failure: messageOf(failure),
        error,
      })
    }
  }

  /**
   * Runs `task` for the first of `names` in its turn, once the stores that may have
   * it are open. Nothing befalls the others meanwhile.
   */
  async #turn<T>(
    doing: string,
    names: readonly [string, ...string[]],
    task: (turn: Turn) => Promise<T>,
  ): Promise<T> {
    const [name] = names
    return this.#turns.run(names, `${doing} volume "${name}"`, async (turn) => {
      await this.#catalogue.settled(name)
      return task(turn)
    })
  }

  /** Lets a store answer, and believes it when it says that it is down. */
  async #ask<T>(store: AttachedStore, question: () => Promise<T>): Promise<T> {
    try {
      return await question()
    } catch (error) {
      if (error instanceof UnavailableError) store.lose(error)
      throw error
    }
  }
}

function usable({ name, volume, problem }: CatalogueEntry): Volume {
  if (volume !== undefined && problem === undefined) return volume
  throw new UnavailableError(`Volume "${name}" cannot be used: ${problem}`)
}

/** Removing what is gone already, by whomever, is as good. */
async function removed(storer: VolumeStorer, name: string): Promise<void> {
  try {
    await storer.remove(name)
  } catch (error) {
    if (!(error instanceof VolumeNotFoundError)) throw error
  }
}
