import type { Log } from '../base/log.ts'
import { isTurnOver, nextTurn } from '../base/next-turn.ts'
import { isStorageName } from '../storage/storage-ref.ts'
import type { VolumeListing } from './volume-storer.ts'
import type { Volume } from './volume.ts'

/** One name in the catalogue: a volume, what is wrong with it, or both. */
export interface CatalogueEntry {
  readonly name: string
  readonly store: string
  /** The kind of the store. */
  readonly kind: string
  readonly volume?: Volume
  readonly problem?: string
}

/** Whose entries they are. */
export type EntryOwner = Pick<CatalogueEntry, 'store' | 'kind'>

/** What one store was last known to have, name by name. */
export class StoreEntries {
  readonly #owner: EntryOwner
  readonly #log: Log
  readonly #entries = new Map<string, CatalogueEntry>()
  readonly #damaged = new Set<string>()
  /** What came and went, for each list of the store that is being made meanwhile. */
  readonly #changes = new Set<Set<string>>()

  constructor(owner: EntryOwner, log: Log) {
    this.#owner = owner
    this.#log = log
  }

  /** Enters the names that the store had when it was last asked. */
  async expect(names: Iterable<string>): Promise<void> {
    for (const name of names) {
      this.#enter(name, {})
      if (isTurnOver()) await nextTurn()
    }
  }

  get size(): number {
    return this.#entries.size
  }

  get(name: string): CatalogueEntry | undefined {
    return this.#entries.get(name)
  }

  names(): Iterable<string> {
    return this.#entries.keys()
  }

  values(): Iterable<CatalogueEntry> {
    return this.#entries.values()
  }

  /** The names of what cannot be used. */
  damaged(): readonly string[] {
    return [...this.#damaged]
  }

  set(volume: Volume): void {
    this.#noteChange(volume.name)
    this.#enter(volume.name, { volume })
  }

  setProblem(name: string, reason: string): void {
    this.#log.warn('Damaged volume', { volume: name, reason })
    // What no volume can be called takes nobody's name.
    if (isStorageName(name)) this.#enter(name, { problem: reason })
  }

  delete(name: string): void {
    this.#noteChange(name)
    this.#leave(name)
  }

  /**
   * Takes over what `list` answers, but for what came and went since it was asked.
   * Until it is done, each name has what it had before, or what it has now.
   */
  async replaceBy(list: () => Promise<VolumeListing>): Promise<void> {
    const changes = new Set<string>()
    this.#changes.add(changes)
    try {
      await this.#takeOver(await list(), changes)
    } finally {
      this.#changes.delete(changes)
    }
  }

  async #takeOver(
    { volumes, problems }: VolumeListing,
    changes: ReadonlySet<string>,
  ): Promise<void> {
    const gone = new Set(this.#entries.keys())
    for (const volume of volumes) {
      gone.delete(volume.name)
      if (!changes.has(volume.name)) this.#enter(volume.name, { volume })
      if (isTurnOver()) await nextTurn()
    }
    for (const { name, reason } of problems) {
      gone.delete(name)
      if (!changes.has(name)) this.setProblem(name, reason)
      if (isTurnOver()) await nextTurn()
    }
    for (const name of gone) {
      if (!changes.has(name)) this.#leave(name)
    }
  }

  #noteChange(name: string): void {
    for (const changes of this.#changes) changes.add(name)
  }

  #enter(name: string, what: Pick<CatalogueEntry, 'volume' | 'problem'>): void {
    this.#entries.set(name, { name, ...this.#owner, ...what })
    if (what.problem === undefined) this.#damaged.delete(name)
    else this.#damaged.add(name)
  }

  #leave(name: string): void {
    this.#entries.delete(name)
    this.#damaged.delete(name)
  }
}
