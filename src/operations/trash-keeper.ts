import { setTimeout } from 'node:timers/promises'
import { NotFoundError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { isTurnOver, nextTurn } from '../base/next-turn.ts'
import type { TrashedVolume } from '../volume/store-trash.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'
import type { VolumeUsage } from '../volume/volume-usage.ts'
import type { Volume } from '../volume/volume.ts'
import { isBelow, type TrashLimits } from './trash-limits.ts'

/** A removed volume, and until when it can be brought back. */
export interface TrashEntry extends TrashedVolume {
  /** As RFC 3339 has it. It is deleted earlier where room is short. */
  readonly expiresAt: string
  /** How much it takes, once that was measured. */
  readonly usage?: VolumeUsage
}

/** Which of them are meant: those of one store, or all. */
export interface TrashSelection {
  readonly store?: string | undefined
}

/** What the trash of one store comes to. */
export interface TrashSize {
  readonly volumes: number
  /** Bytes on disk, of those that were measured already. */
  readonly allocated: number
}

export interface TrashKeeperOptions {
  readonly volumes: VolumeLookupCache
  readonly limits: TrashLimits
  readonly log: Log
  /** The longest that it sleeps, in milliseconds. */
  readonly rounds?: number
}

/** How often room is looked at while nothing expires. */
const ROUNDS = 60_000

/** How soon again while room is short: what is deleted gives it back by and by. */
const HASTE = 2000

/**
 * Sees to it that the trash does not grow for ever: deletes volumes whose time is
 * over, and, where a store is short of room, those removed first before their time.
 *
 * It goes by what is in the trash, not by what it remembers, so a restart changes
 * nothing. What it deletes is gone for good; each is logged with its name.
 */
export class TrashKeeper {
  readonly #volumes: VolumeLookupCache
  readonly #limits: TrashLimits
  readonly #log: Log
  readonly #rounds: number
  readonly #usage = new Map<string, VolumeUsage>()
  readonly #closing = new AbortController()
  readonly #work: Promise<void>
  #nextExpiry = 0
  #measuring: Promise<void> = Promise.resolve()
  #isMeasuring = false

  constructor({ volumes, limits, log, rounds = ROUNDS }: TrashKeeperOptions) {
    this.#volumes = volumes
    this.#limits = limits
    this.#log = log
    this.#rounds = rounds
    this.#work = this.#keep()
  }

  /**
   * What can still be brought back; those removed first come first. It does not wait
   * for their sizes: those that are not known yet are found out meanwhile.
   */
  async list({ store }: TrashSelection = {}): Promise<readonly TrashEntry[]> {
    const { volumes } = await this.#volumes.trash.list()
    const entries: TrashEntry[] = []
    for (const volume of volumes) {
      entries.push(this.#entry(volume))
      if (isTurnOver()) await nextTurn()
    }
    if (!this.#isMeasuring) this.#measuring = this.#measureAll(entries)
    return entries.filter((entry) => (store ?? entry.store) === entry.store)
  }

  /**
   * Brings a removed volume back, under its own name or another.
   *
   * @throws NotFoundError when it is not in the trash.
   * @throws VolumeExistsError when the name is taken: choose another.
   */
  async restore(id: string, as?: string): Promise<Volume> {
    return this.#volumes.trash.restore(await this.#find(id), as)
  }

  /** @throws NotFoundError when it is not in the trash. */
  async delete(id: string): Promise<void> {
    await this.#delete(await this.#find(id), 'Removed volume deleted')
  }

  /** Deletes all for good, and answers which. Their room comes back by and by. */
  async empty(selection: TrashSelection = {}): Promise<readonly TrashEntry[]> {
    const entries = await this.list(selection)
    for (const entry of entries) {
      await this.#delete(entry, 'Removed volume deleted')
    }
    return entries
  }

  /** What the trash of each store comes to. */
  async sizes(): Promise<ReadonlyMap<string, TrashSize>> {
    const sizes = new Map<string, TrashSize>()
    for (const { store, usage } of await this.list()) {
      const { volumes = 0, allocated = 0 } = sizes.get(store) ?? {}
      sizes.set(store, {
        volumes: volumes + 1,
        allocated: allocated + (usage?.allocated ?? 0),
      })
    }
    return sizes
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#work
    await this.#measuring
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing
    await this.#volumes.opened()
    for (let early = 1; !signal.aborted;) {
      const short = await this.#round(early)
      // Twice as many each time, so that many small ones do not take for ever.
      early = short ? early * 2 : 1
      await pause(short ? HASTE : this.#rounds, signal)
    }
  }

  /**
   * Deletes what has expired, and at most `early` volumes of each store that is
   * short of room. Answers whether any was.
   */
  async #round(early: number): Promise<boolean> {
    try {
      const short = await this.#storesShortOfRoom()
      if (short.length === 0 && Date.now() < this.#nextExpiry) return false
      const entries = await this.list()
      const now = new Date().toISOString()
      const expired = entries.filter(({ expiresAt }) => expiresAt <= now)
      for (const entry of expired) {
        await this.#delete(entry, 'Removed volume expired')
      }
      const kept = entries.slice(expired.length)
      const [next] = kept
      this.#nextExpiry =
        next === undefined
          ? Date.now() + this.#limits.keepFor
          : Date.parse(next.expiresAt)
      return await this.#hurry(kept, short, early)
    } catch (error) {
      this.#log.warn('Trash cannot be emptied', { error })
      return false
    }
  }

  async #storesShortOfRoom(): Promise<readonly string[]> {
    const short: string[] = []
    for (const { name, state } of this.#volumes.stores()) {
      if (state === 'opening' || state === 'offline') continue
      const room = await this.#volumes.room(name)
      if (isBelow(room, this.#limits.leaveFree)) short.push(name)
    }
    return short
  }

  /** Deletes before their time, `most` in each store; answers whether there was any. */
  async #hurry(
    entries: readonly TrashEntry[],
    stores: readonly string[],
    most: number,
  ): Promise<boolean> {
    const chosen = stores.flatMap((name) =>
      entries.filter(({ store }) => store === name).slice(0, most),
    )
    for (const entry of chosen) {
      await this.#delete(entry, 'Removed volume deleted for want of room')
    }
    return chosen.length > 0
  }

  /** A removed volume does not change, so each is measured once. */
  async #measureAll(entries: readonly TrashEntry[]): Promise<void> {
    this.#isMeasuring = true
    const present = new Set(entries.map(({ id }) => id))
    for (const id of this.#usage.keys()) {
      if (!present.has(id)) this.#usage.delete(id)
    }
    for (const entry of entries) {
      if (this.#closing.signal.aborted) break
      if (!this.#usage.has(entry.id)) await this.#measure(entry)
    }
    this.#isMeasuring = false
  }

  async #measure(entry: TrashEntry): Promise<void> {
    try {
      this.#usage.set(entry.id, await this.#volumes.trash.usage(entry))
    } catch (error) {
      this.#log.debug('Removed volume not measured', { id: entry.id, error })
    }
  }

  async #delete(entry: TrashEntry, message: string): Promise<void> {
    await this.#volumes.trash.delete(entry)
    const { id, name, store, removedAt } = entry
    this.#log.info(message, { volume: name, store, id, removedAt })
  }

  async #find(id: string): Promise<TrashEntry> {
    const found = (await this.list()).find((entry) => entry.id === id)
    if (found !== undefined) return found
    throw new NotFoundError(
      `The trash has no "${id}": "stowage trash ls" tells the ids of what it has`,
    )
  }

  #entry(volume: TrashedVolume): TrashEntry {
    const expires = Date.parse(volume.removedAt) + this.#limits.keepFor
    const usage = this.#usage.get(volume.id)
    return {
      ...volume,
      expiresAt: new Date(expires).toISOString(),
      ...(usage === undefined ? {} : { usage }),
    }
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, { signal, ref: false })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
