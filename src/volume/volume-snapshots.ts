import { InUseError } from '../base/errors.ts'
import type { AttachedStore } from './attached-store.ts'
import type { CopyOptions } from './copy-options.ts'
import { requireAbility, requireCopyable } from './require-ability.ts'
import { checkSnapshotName, nameByTime, type Snapshot } from './snapshot.ts'
import type { StoreSnapshots } from './store-snapshots.ts'
import type { VolumeDesk } from './volume-desk.ts'
import { SnapshotNotFoundError, VolumeInUseError } from './volume-errors.ts'
import type { VolumeStorer } from './volume-storer.ts'
import type { Volume } from './volume.ts'

export interface SnapshotOptions extends CopyOptions {
  /** What the snapshot is called; after the time if absent. */
  readonly name?: string | undefined
}

/** The files of a snapshot, to be read for as long as the scope lasts. */
export interface ShownSnapshot extends AsyncDisposable {
  readonly path: string
}

/** What the snapshots that a rollback makes by itself are called, before the time. */
const SAVED = 'before-rollback-'

/**
 * The snapshots of all volumes. They are in the catalogue with their volumes, so
 * that to list them asks no store.
 */
export class VolumeSnapshots {
  readonly #desk: VolumeDesk
  /** How often each snapshot is shown: `VOLUME@SNAPSHOT`. */
  readonly #shown = new Map<string, number>()

  constructor(desk: VolumeDesk) {
    this.#desk = desk
  }

  /** @throws VolumeNotFoundError */
  list(volume: string): readonly Snapshot[] {
    return this.#desk.volume(volume).snapshots
  }

  /**
   * Keeps what a volume holds now, under a name.
   *
   * @throws SnapshotExistsError
   * @throws NotSupportedError when its store keeps no snapshots.
   * @throws InUseError when somebody holds it, and its store cannot copy it then.
   */
  async create(
    volume: string,
    { name = nameByTime(), pause }: SnapshotOptions = {},
  ): Promise<Snapshot> {
    checkSnapshotName(name)
    return this.#copying('Snapshotting', volume, async (store, snapshots) => {
      const holders = this.#holders(volume)
      requireCopyable(volume, store.storer(), { holders, pause })
      const taken = await snapshots.create(volume, name, { pause })
      await store.keep(taken)
      return found(taken, name)
    })
  }

  /**
   * Deletes a snapshot for good.
   *
   * @throws SnapshotNotFoundError
   * @throws InUseError while it is shown.
   */
  async delete(volume: string, snapshot: string): Promise<void> {
    const doing = `Deleting snapshot "${snapshot}" of`
    await this.#desk.turn(doing, [volume], async () => {
      const store = this.#desk.storeOf(volume)
      found(this.#desk.volume(volume), snapshot)
      if (this.#shown.has(key(volume, snapshot))) {
        throw new InUseError(
          `Snapshot "${snapshot}" of volume "${volume}" is being read: try again when that is done`,
        )
      }
      const left = await this.#desk.ask(store, () =>
        snapshotsOf(store.storer()).delete(volume, snapshot),
      )
      await store.keep(left)
    })
  }

  /**
   * Makes a volume hold what it held at a snapshot. What it holds now is kept as
   * another snapshot, which is answered.
   *
   * @throws SnapshotNotFoundError
   * @throws VolumeInUseError while somebody holds the volume.
   */
  async rollback(
    volume: string,
    snapshot: string,
  ): Promise<{ readonly saved: Snapshot }> {
    return this.#copying('Rolling back', volume, async (store, snapshots) => {
      const holders = this.#holders(volume)
      if (holders.length > 0) throw new VolumeInUseError(volume, holders)
      found(this.#desk.volume(volume), snapshot)
      const saved = SAVED + nameByTime()
      const back = await this.#rolledBack(store, () =>
        snapshots.rollback(volume, snapshot, saved),
      )
      return { saved: found(back, saved) }
    })
  }

  /** Shows the files of a snapshot at a path, to be read. */
  async show(volume: string, snapshot: string): Promise<ShownSnapshot> {
    const id = key(volume, snapshot)
    return this.#desk.turn('Showing', [volume], async () => {
      const store = this.#desk.storeOf(volume)
      found(this.#desk.volume(volume), snapshot)
      const path = await this.#desk.ask(store, () =>
        snapshotsOf(store.storer()).show(volume, snapshot),
      )
      this.#shown.set(id, (this.#shown.get(id) ?? 0) + 1)
      const hide = (): Promise<void> => this.#hide(volume, snapshot)
      return { path, [Symbol.asyncDispose]: hide }
    })
  }

  async #hide(volume: string, snapshot: string): Promise<void> {
    const id = key(volume, snapshot)
    await this.#desk.turn('Hiding', [volume], async () => {
      const left = (this.#shown.get(id) ?? 1) - 1
      if (left > 0) {
        this.#shown.set(id, left)
        return
      }
      this.#shown.delete(id)
      const entry = this.#desk.catalogue.entry(volume)
      if (entry?.volume?.snapshots.some(({ name }) => name === snapshot)) {
        await snapshotsOf(this.#desk.storeOf(volume).storer()).hide(
          volume,
          snapshot,
        )
      }
    })
  }

  /** What failed may have saved the present before it did: the store knows. */
  async #rolledBack(
    store: AttachedStore,
    rollback: () => Promise<Volume>,
  ): Promise<Volume> {
    try {
      const volume = await rollback()
      await store.keep(volume)
      return volume
    } catch (error) {
      await store.refresh()
      throw error
    }
  }

  /** Copying may take long where it is not at once, but not while writers wait. */
  async #copying<T>(
    doing: string,
    volume: string,
    task: (store: AttachedStore, snapshots: StoreSnapshots) => Promise<T>,
  ): Promise<T> {
    const act = async (): Promise<T> => {
      const store = this.#desk.storeOf(volume)
      const snapshots = snapshotsOf(store.storer())
      return this.#desk.ask(store, () => task(store, snapshots))
    }
    await this.#desk.catalogue.settled(volume)
    const { from } = this.#desk.storeOf(volume).storer().capabilities
    const isQuick = from === true || this.#holders(volume).length > 0
    return isQuick
      ? this.#desk.turn(doing, [volume], act)
      : this.#desk.longTurn(doing, [volume], act)
  }

  #holders(volume: string): readonly string[] {
    return [...this.#desk.holds.holders(volume).keys()]
  }
}

function key(volume: string, snapshot: string): string {
  return `${volume}@${snapshot}`
}

function snapshotsOf(store: VolumeStorer): StoreSnapshots {
  requireAbility(store, 'snapshots')
  if (store.snapshots !== undefined) return store.snapshots
  throw new Error(`Volume store "${store.name}" claims snapshots and has none`)
}

function found({ name: volume, snapshots }: Volume, name: string): Snapshot {
  const snapshot = snapshots.find((each) => each.name === name)
  if (snapshot !== undefined) return snapshot
  throw new SnapshotNotFoundError(volume, name)
}
