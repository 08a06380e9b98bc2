import { withDeadline } from '../base/deadline.ts'
import { messageOf, UnavailableError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { TimedTurns, type Turn } from '../base/timed-turns.ts'
import type { Holds } from '../state/holds.ts'
import type { AttachedStore } from './attached-store.ts'
import type { CatalogueEntry } from './store-entries.ts'
import type { Catalogue } from './catalogue.ts'
import { VolumeNotFoundError, VolumeUnavailableError } from './volume-errors.ts'
import type { Volume } from './volume.ts'

export interface DeskOptions {
  readonly catalogue: Catalogue
  readonly holds: Holds
  readonly log: Log
  /** Milliseconds that one call may take, its wait for others included. */
  readonly deadline: number
}

/**
 * Where everything that acts on volumes stands in line: what is known, who holds
 * what, one queue for each volume, and a deadline for each call.
 */
export class VolumeDesk {
  readonly catalogue: Catalogue
  readonly holds: Holds
  readonly log: Log
  readonly #turns: TimedTurns
  readonly #deadline: number
  /** What takes long, by the volume that it goes on with. */
  readonly #underWay = new Map<string, string>()

  constructor({ catalogue, holds, log, deadline }: DeskOptions) {
    this.catalogue = catalogue
    this.holds = holds
    this.log = log
    this.#turns = new TimedTurns(deadline)
    this.#deadline = deadline
  }

  /**
   * What the catalogue has under `name`, be it usable or not.
   *
   * @throws VolumeNotFoundError when no store has the name.
   * @throws UnavailableError when a store whose names are not known might have it.
   */
  entry(name: string): CatalogueEntry {
    const entry = this.catalogue.entry(name)
    if (entry !== undefined) return entry
    throw new VolumeNotFoundError(name)
  }

  /**
   * The volume `name`, as the catalogue has it.
   *
   * @throws VolumeNotFoundError when no store has the volume.
   * @throws UnavailableError when the volume cannot be used now, or a store whose
   *   names are not known might have it.
   */
  volume(name: string): Volume {
    return usable(this.entry(name))
  }

  /** The store that keeps the volume `name`. */
  storeOf(name: string): AttachedStore {
    return this.catalogue.store(this.volume(name).store)
  }

  /**
   * Runs `task` for the first of `names` in its turn, once the stores that may have
   * it are open. Nothing befalls the others meanwhile.
   */
  async turn<T>(
    doing: string,
    names: readonly [string, ...string[]],
    task: (turn: Turn) => Promise<T>,
  ): Promise<T> {
    const [name] = names
    this.#refuseBusy(names)
    return this.#turns.run(names, `${doing} volume "${name}"`, async (turn) => {
      await this.catalogue.reached(name)
      return task(turn)
    })
  }

  /**
   * Like `turn`, for what takes as long as it takes, with volumes that nobody holds:
   * whoever comes for one of them meanwhile is not kept waiting, but told.
   */
  async longTurn<T>(
    doing: string,
    names: readonly [string, ...string[]],
    task: () => Promise<T>,
  ): Promise<T> {
    const [name] = names
    this.#refuseBusy(names)
    return this.#turns.runPatiently(names, async () => {
      for (const each of names) this.#underWay.set(each, doing.toLowerCase())
      try {
        await this.catalogue.reached(name)
        return await task()
      } finally {
        for (const each of names) this.#underWay.delete(each)
      }
    })
  }

  #refuseBusy(names: readonly string[]): void {
    for (const name of names) {
      const doing = this.#underWay.get(name)
      if (doing === undefined) continue
      throw new UnavailableError(
        `Volume "${name}" cannot be used now: ${doing} it is under way, try again when that is done`,
      )
    }
  }

  /** The result of `work`, if it comes before a caller would lose patience. */
  async inTime<T>(what: string, work: Promise<T>): Promise<T> {
    return withDeadline(what, this.#deadline, work)
  }

  /** Lets a store answer, and believes it when it says that it is down. */
  async ask<T>(store: AttachedStore, question: () => Promise<T>): Promise<T> {
    try {
      return await question()
    } catch (error) {
      const isStore = !(error instanceof VolumeUnavailableError)
      if (error instanceof UnavailableError && isStore) store.lose(error)
      throw error
    }
  }

  /** Drops one hold of `holder`, and unmounts before that if it is the last. */
  async release(
    store: AttachedStore,
    name: string,
    holder: string,
  ): Promise<void> {
    if (!this.holds.holders(name).has(holder)) return
    if (this.holds.count(name) === 1) {
      await this.ask(store, () => store.storer().unmount(name))
    }
    await this.holds.drop(name, holder)
  }

  /** Releases what a failed mount took; its failure is the one to be told. */
  async releaseAfter(
    failure: unknown,
    store: AttachedStore,
    name: string,
    holder: string,
  ): Promise<void> {
    try {
      await this.release(store, name, holder)
    } catch (error) {
      this.log.warn('Hold left by a failed mount', {
        volume: name,
        failure: messageOf(failure),
        error,
      })
    }
  }
}

function usable({ name, volume, problem }: CatalogueEntry): Volume {
  if (volume !== undefined && problem === undefined) return volume
  throw new UnavailableError(`Volume "${name}" cannot be used: ${problem}`)
}
