import { setTimeout } from 'node:timers/promises'
import { messageOf, UnavailableError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Holds } from '../state/holds.ts'
import { NameJournal } from '../state/name-journal.ts'
import { isWhole, listWhole } from './list-whole.ts'
import { type CatalogueEntry, StoreEntries } from './store-entries.ts'
import { VolumeExistsError } from './volume-errors.ts'
import type { VolumeRepair, VolumeStorer } from './volume-storer.ts'
import type { Volume } from './volume.ts'

/** How a store is opened. */
export interface StoreCircumstances {
  /**
   * Whether it was there before. Then a directory without it is not a new store:
   * most likely its filesystem is not mounted yet.
   */
  readonly isKnown: boolean
}

/** A store that is configured, whether it can be reached or not. */
export interface VolumeStoreSource {
  readonly name: string
  readonly kind: string
  open(circumstances: StoreCircumstances): Promise<VolumeStorer>
}

/** `degraded` is online, with volumes that are damaged. */
export type StoreState = 'opening' | 'online' | 'degraded' | 'offline'

/** How a store is, for those who look after it. */
export interface StoreStatus {
  readonly name: string
  readonly kind: string
  readonly state: StoreState
  /** Why it is not simply online. */
  readonly reason?: string
  /** How many names it has, be they of volumes or of what is damaged. */
  readonly names: number
  /** What was put right since this process has it. */
  readonly repairs: readonly VolumeRepair[]
}

export interface AttachOptions {
  /** Where the store's names are noted. */
  readonly journal: string
  readonly holds: Holds
  readonly log: Log
}

/** What is known of a store before it is reached. */
interface Known {
  readonly journal: NameJournal
  readonly entries: StoreEntries
}

/** Who holds what was found mounted, when no one is known to. */
export const UNKNOWN_HOLDER = 'unknown'

/** Milliseconds between attempts to reach a store: doubled each time, to a limit. */
const FIRST_PAUSE = 500
const LONGEST_PAUSE = 30_000

/**
 * One store and what it was last known to have.
 *
 * A store that cannot be reached keeps its names, and is tried again in the
 * background until it can be. They are noted in a journal too, so that it keeps
 * them when this process is started while the store is away.
 */
export class AttachedStore {
  readonly name: string
  readonly #source: VolumeStoreSource
  readonly #journal: NameJournal
  readonly #holds: Holds
  readonly #log: Log
  readonly #closing = new AbortController()
  readonly #entries: StoreEntries
  readonly #repairs: VolumeRepair[] = []
  #storer: VolumeStorer | undefined
  #down: string | undefined = 'it is being opened'
  #isOpening = true
  #isListed = false
  #firstTry: Promise<void>
  #tries: Promise<void>
  #isTrying = false

  private constructor(
    source: VolumeStoreSource,
    { journal, entries }: Known,
    { holds, log }: AttachOptions,
  ) {
    this.name = source.name
    this.#source = source
    this.#journal = journal
    this.#entries = entries
    this.#holds = holds
    this.#log = log
    this.#firstTry = this.#try()
    this.#tries = this.#tryAgain()
  }

  /** Attaches a store and begins to open it, without waiting for that. */
  static async attach(
    source: VolumeStoreSource,
    options: AttachOptions,
  ): Promise<AttachedStore> {
    const { name: store, kind } = source
    const log = options.log.child({ store })
    const journal = await NameJournal.open(options.journal)
    const entries = new StoreEntries({ store, kind }, log)
    await entries.expect(journal.names)
    return new AttachedStore(source, { journal, entries }, { ...options, log })
  }

  /** Settles when the store was reached, or could not be for the first time. */
  async tried(): Promise<void> {
    await this.#firstTry
  }

  /**
   * Tries at once to reach the store if it is down, for somebody needs it now. Where
   * that is being tried already, nobody else waits for it: it may hang.
   */
  async retry(): Promise<void> {
    if (this.#down === undefined || this.#closing.signal.aborted) return
    if (!this.#isTrying) await this.#try()
  }

  /** Whether it was tried to reach the store at all. */
  get isOpening(): boolean {
    return this.#isOpening
  }

  /** Whether it is known which names the store has. */
  get knowsNames(): boolean {
    return this.#isListed || !this.#journal.isNew
  }

  status(): StoreStatus {
    const { name, kind } = this.#source
    const names = this.#entries.size
    const facts = { name, kind, names, repairs: [...this.#repairs] }
    if (this.#down !== undefined) {
      const state = this.#isOpening ? 'opening' : 'offline'
      return { ...facts, state, reason: this.#down }
    }
    const damaged = this.#entries.damaged()
    if (damaged.length === 0) return { ...facts, state: 'online' }
    const reason = `damaged: ${damaged.join(', ')}`
    return { ...facts, state: 'degraded', reason }
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
    return entry && this.#shown(entry)
  }

  entries(): Iterable<CatalogueEntry> {
    const entries = this.#entries.values()
    if (this.#down === undefined) return entries
    return [...entries].map((entry) => this.#shown(entry))
  }

  names(): Iterable<string> {
    return this.#entries.names()
  }

  /**
   * Has the store `make` a volume, for the caller to `keep`. Should the store have
   * the name after all, that is noted.
   *
   * The name goes into the journal first, and is there for good when the volume is:
   * at the next start the journal speaks for the store, until that is read. So it
   * may have too many names, and never too few. Only what is not whole is not noted.
   */
  async bring(
    name: string,
    make: (storer: VolumeStorer) => Promise<Volume>,
    isNoted = true,
  ): Promise<Volume> {
    const storer = this.storer()
    if (isNoted) await this.#journal.add(name)
    try {
      const [volume] = await Promise.all([make(storer), this.#syncJournal()])
      return volume
    } catch (error) {
      if (error instanceof VolumeExistsError) await this.#learn(name)
      throw error
    }
  }

  /** Takes note of a volume as the store has described it. */
  async keep(volume: Volume): Promise<void> {
    const { name } = volume
    this.#entries.set(volume)
    if (isWhole(volume)) await this.#journal.add(name)
  }

  /** Takes note that the store has the volume no more. */
  async forget(name: string): Promise<void> {
    this.#entries.delete(name)
    await this.#journal.delete(name)
  }

  /** Lists the store anew, and takes note of what came and went behind our back. */
  async refresh(): Promise<void> {
    await this.#load(this.storer())
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
    await this.#journal.close()
  }

  /** Tries until the store answers. */
  async #tryAgain(): Promise<void> {
    await this.#firstTry
    let pause = FIRST_PAUSE
    while (this.#down !== undefined && !this.#closing.signal.aborted) {
      await pauseFor(pause, this.#closing.signal)
      pause = Math.min(pause * 2, LONGEST_PAUSE)
      if (!this.#closing.signal.aborted) await this.retry()
    }
  }

  async #try(): Promise<void> {
    this.#isTrying = true
    try {
      this.#storer ??= await this.#source.open({
        isKnown: !this.#journal.isNew,
      })
      await this.#load(this.#storer)
      this.#down = undefined
      this.#log.info('Volume store online', { names: this.#entries.size })
    } catch (error) {
      const reason = messageOf(error)
      if (reason !== this.#down) {
        this.#log.error('Volume store cannot be reached', { error })
      }
      this.#down = reason
    } finally {
      this.#isOpening = false
      this.#isTrying = false
    }
  }

  async #load(storer: VolumeStorer): Promise<void> {
    await this.#entries.replaceBy(async () => {
      const listing = this.#isListed
        ? await storer.list()
        : await listWhole(storer, { holds: this.#holds, log: this.#log })
      for (const { name, repair } of listing.repairs ?? []) {
        this.#log.warn('Volume put right', { volume: name, repair })
        this.#repairs.push({ name, repair })
      }
      await this.#correctHolds(storer, listing.volumes)
      return listing
    })
    await this.#journal.replace(this.#wholeNames())
    this.#isListed = true
  }

  *#wholeNames(): Generator<string, void> {
    for (const { name, volume } of this.#entries.values()) {
      if (volume === undefined || isWhole(volume)) yield name
    }
  }

  async #syncJournal(): Promise<void> {
    try {
      await this.#journal.sync()
    } catch (error) {
      this.#log.warn('Names may not outlive a power cut', { error })
    }
  }

  /** Takes note of what the store says about `name` when asked. */
  async #learn(name: string): Promise<void> {
    try {
      await this.keep(await this.storer().get(name))
    } catch (error) {
      this.#entries.setProblem(name, messageOf(error))
    }
  }

  #shown(entry: CatalogueEntry): CatalogueEntry {
    if (this.#down === undefined) return entry
    return { ...entry, problem: this.#complaint() }
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
