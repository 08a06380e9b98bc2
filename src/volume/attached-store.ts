import { setTimeout } from 'node:timers/promises'
import { messageOf, UnavailableError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Holds } from '../state/holds.ts'
import { isStorageName } from '../storage/storage-ref.ts'
import type { VolumeStorer } from './volume-storer.ts'
import type { Volume } from './volume.ts'

/** A store that is configured, whether it can be reached or not. */
export interface VolumeStoreSource {
  readonly name: string
  readonly kind: string
  open(): Promise<VolumeStorer>
}

export type StoreState = 'opening' | 'online' | 'offline'

/** How a store is, for those who look after it. */
export interface StoreStatus {
  readonly name: string
  readonly kind: string
  readonly state: StoreState
  /** Why it is not online. */
  readonly reason?: string
  /** How many names it has, be they of volumes or of what is wrong. */
  readonly names: number
}

/** One name in the catalogue: a volume, what is wrong with it, or both. */
export interface CatalogueEntry {
  readonly name: string
  readonly store: string
  readonly volume?: Volume
  readonly problem?: string
}

/** Milliseconds between attempts to reach a store: doubled each time, to a limit. */
const FIRST_PAUSE = 500
const LONGEST_PAUSE = 30_000

/** Who holds what was found mounted, when no one is known to. */
export const UNKNOWN_HOLDER = 'unknown'

/**
 * One store and what it was last known to have.
 *
 * A store that cannot be reached keeps its names, and is tried again in the
 * background until it can be. Only what a store itself has said counts.
 */
export class AttachedStore {
  readonly name: string
  readonly #source: VolumeStoreSource
  readonly #holds: Holds
  readonly #log: Log
  readonly #closing = new AbortController()
  readonly #entries = new Map<string, CatalogueEntry>()
  #storer: VolumeStorer | undefined
  #isLoaded = false
  #down: string | undefined = 'it is being opened'
  #firstTry: Promise<void>
  #tries: Promise<void>

  constructor(source: VolumeStoreSource, holds: Holds, log: Log) {
    this.name = source.name
    this.#source = source
    this.#holds = holds
    this.#log = log.child({ store: source.name })
    this.#firstTry = this.#try()
    this.#tries = this.#tryAgain()
  }

  /** Settles when the store was reached, or could not be for the first time. */
  async tried(): Promise<void> {
    await this.#firstTry
  }

  /** Whether the names that it has are known. */
  get isLoaded(): boolean {
    return this.#isLoaded
  }

  status(): StoreStatus {
    const { name, kind } = this.#source
    const names = this.#entries.size
    if (this.#down === undefined) return { name, kind, state: 'online', names }
    const state = this.#isLoaded ? 'offline' : 'opening'
    return { name, kind, state, names, reason: this.#down }
  }

  /** @throws UnavailableError while the store is down. */
  storer(): VolumeStorer {
    if (this.#storer !== undefined && this.#down === undefined) {
      return this.#storer
    }
    throw new UnavailableError(this.#complaint())
  }

  entry(name: string): CatalogueEntry | undefined {
    const entry = this.#entries.get(name)
    if (entry === undefined || this.#down === undefined) return entry
    return { ...entry, problem: this.#complaint() }
  }

  names(): Iterable<string> {
    return this.#entries.keys()
  }

  /** Takes note of a volume as the store has described it. */
  keep(volume: Volume): void {
    const { name } = volume
    this.#entries.set(name, { name, store: this.name, volume })
  }

  /** Takes note of what the store says about `name` when asked. */
  async learn(name: string): Promise<void> {
    try {
      this.keep(await this.storer().get(name))
    } catch (error) {
      this.#keepProblem(name, messageOf(error))
    }
  }

  /** Takes note that the store has the volume no more. */
  forget(name: string): void {
    this.#entries.delete(name)
  }

  /** Takes note that the store says it cannot be reached. */
  lose(error: UnavailableError): void {
    if (this.#down !== undefined) return
    this.#log.error('Volume store lost', { error })
    this.#down = error.message
    this.#tries = this.#tryAgain()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#firstTry
    await this.#tries
    await this.#storer?.close()
  }

  /** Tries until the store answers. */
  async #tryAgain(): Promise<void> {
    await this.#firstTry
    let pause = FIRST_PAUSE
    while (this.#down !== undefined && !this.#closing.signal.aborted) {
      await pauseFor(pause, this.#closing.signal)
      pause = Math.min(pause * 2, LONGEST_PAUSE)
      if (!this.#closing.signal.aborted) await this.#try()
    }
  }

  async #try(): Promise<void> {
    try {
      this.#storer ??= await this.#source.open()
      await this.#load(this.#storer)
    } catch (error) {
      const reason = messageOf(error)
      if (reason !== this.#down) {
        this.#log.error('Volume store cannot be reached', { error })
      }
      this.#down = reason
      return
    }
    this.#down = undefined
    this.#isLoaded = true
    this.#log.info('Volume store online', { names: this.#entries.size })
  }

  async #load(storer: VolumeStorer): Promise<void> {
    const { volumes, problems } = await storer.list()
    await this.#correctHolds(storer, volumes)
    this.#entries.clear()
    for (const volume of volumes) this.keep(volume)
    for (const { name, reason } of problems) this.#keepProblem(name, reason)
  }

  #keepProblem(name: string, reason: string): void {
    this.#log.warn('Damaged volume', { volume: name, reason })
    // What no volume can be called takes nobody's name.
    if (!isStorageName(name)) return
    this.#entries.set(name, { name, store: this.name, problem: reason })
  }

  /** Who is said to hold a volume is right only as far as the kernel agrees. */
  async #correctHolds(
    storer: VolumeStorer,
    volumes: readonly Volume[],
  ): Promise<void> {
    const mounted = (await storer.mounted?.(volumes)) ?? []
    for (const [name, isMounted] of mounted) {
      const isHeld = this.#holds.count(name) > 0
      if (isMounted && !isHeld) await this.#holds.add(name, UNKNOWN_HOLDER)
      if (!isMounted && isHeld) await this.#holds.clear(name)
    }
  }

  #complaint(): string {
    return `Volume store "${this.name}" cannot be reached: ${this.#down}`
  }
}

async function pauseFor(
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, { signal, ref: false })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
