import { messageOf, NotFoundError, NotSupportedError } from '../base/errors.ts'
import type { AttachedStore } from './attached-store.ts'
import type { StoreTrash, TrashedVolume } from './store-trash.ts'
import type { VolumeDesk } from './volume-desk.ts'
import { VolumeExistsError } from './volume-errors.ts'
import { checkVolumeName } from './volume-name.ts'
import type { VolumeStorer } from './volume-storer.ts'
import type { VolumeUsage } from './volume-usage.ts'
import type { Volume } from './volume.ts'

/** Which removed volume is meant, wherever it is. */
export type TrashRef = Pick<TrashedVolume, 'store' | 'id'>

/** What a store's trash cannot show, or the whole trash where there is no `id`. */
export interface TrashTrouble {
  readonly store: string
  readonly id?: string
  readonly reason: string
}

/** What is in the trashes of all stores. */
export interface TrashOverview {
  /** Those removed first come first, whatever store they are of. */
  readonly volumes: readonly TrashedVolume[]
  readonly troubles: readonly TrashTrouble[]
}

/**
 * The trash of all stores together: what was removed, and the way back.
 *
 * A volume that is brought back is in the catalogue again, and held by nobody.
 */
export class VolumeTrash {
  readonly #desk: VolumeDesk

  constructor(desk: VolumeDesk) {
    this.#desk = desk
  }

  /** A store that cannot be reached is told of, and hides no other's volumes. */
  async list(): Promise<TrashOverview> {
    const found = await Promise.all(
      [...this.#desk.catalogue.attached()].map((store) => this.#listed(store)),
    )
    return {
      volumes: found
        .flatMap(({ volumes }) => volumes)
        .toSorted((one, other) => (one.id < other.id ? -1 : 1)),
      troubles: found.flatMap(({ troubles }) => troubles),
    }
  }

  /**
   * Brings a removed volume back, under its own name or another.
   *
   * @throws NotFoundError when it is not in the trash.
   * @throws VolumeExistsError when the name is taken: choose another.
   */
  async restore(ref: TrashRef, as?: string): Promise<Volume> {
    const store = this.#desk.catalogue.store(ref.store)
    const name = as ?? (await this.#find(store, ref.id)).name
    const { maxNameBytes } = store.storer().capabilities
    checkVolumeName(name, maxNameBytes)
    return this.#desk.turn('Restoring', [name], async () => {
      if (this.#desk.catalogue.entry(name) !== undefined) {
        throw new VolumeExistsError(name)
      }
      await this.#desk.holds.clear(name)
      const volume = await this.#desk.ask(store, () =>
        store.bring(name, (storer) => trashOf(storer).restore(ref.id, name)),
      )
      await store.keep(volume)
      return volume
    })
  }

  /** Deletes a removed volume for good. That it is gone already is no failure. */
  async delete(ref: TrashRef): Promise<void> {
    const store = this.#desk.catalogue.store(ref.store)
    await this.#ask(store, 'Deleting', (trash) => trash.delete(ref.id))
  }

  /** @throws NotFoundError when it is not in the trash. */
  async usage(ref: TrashRef): Promise<VolumeUsage> {
    const store = this.#desk.catalogue.store(ref.store)
    return this.#desk.ask(store, () => trashOf(store.storer()).usage(ref.id))
  }

  async #listed(store: AttachedStore): Promise<TrashOverview> {
    try {
      if (store.storer().trash === undefined) return EMPTY
      const { volumes, problems } = await this.#ask(store, 'Listing', (trash) =>
        trash.list(),
      )
      const troubles = problems.map((each) => ({ store: store.name, ...each }))
      return { volumes, troubles }
    } catch (error) {
      const reason = messageOf(error)
      return { volumes: [], troubles: [{ store: store.name, reason }] }
    }
  }

  async #find(store: AttachedStore, id: string): Promise<TrashedVolume> {
    const { volumes } = await this.#ask(store, 'Listing', (trash) =>
      trash.list(),
    )
    const found = volumes.find((volume) => volume.id === id)
    if (found !== undefined) return found
    throw new NotFoundError(
      `The trash of volume store "${store.name}" has nothing under "${id}"`,
    )
  }

  async #ask<T>(
    store: AttachedStore,
    doing: string,
    question: (trash: StoreTrash) => Promise<T>,
  ): Promise<T> {
    return this.#desk.ask(store, () =>
      this.#desk.inTime(
        `${doing} the trash of volume store "${store.name}"`,
        question(trashOf(store.storer())),
      ),
    )
  }
}

const EMPTY: TrashOverview = { volumes: [], troubles: [] }

function trashOf({ name, trash, capabilities }: VolumeStorer): StoreTrash {
  if (trash !== undefined) return trash
  const ability = capabilities.trash
  const reason = ability === true ? 'it has none' : ability.because
  throw new NotSupportedError(
    `Volume store "${name}" keeps no removed volumes, because ${reason}`,
  )
}
