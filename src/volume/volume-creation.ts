import { NotSupportedError } from '../base/errors.ts'
import type { Turn } from '../base/timed-turns.ts'
import type { AttachedStore } from './attached-store.ts'
import { changedOptions } from './changed-options.ts'
import type { CopyOptions } from './copy-options.ts'
import { refuseUnable } from './refuse-unable.ts'
import { requireAbility, requireCopyable } from './require-ability.ts'
import { parseCloneSource } from './snapshot.ts'
import type { VolumeDesk } from './volume-desk.ts'
import {
  SnapshotNotFoundError,
  VolumeExistsError,
  VolumeNotFoundError,
} from './volume-errors.ts'
import { checkVolumeName } from './volume-name.ts'
import {
  optionName,
  parseVolumeOptions,
  refuseUnasked,
  type VolumeOptions,
} from './volume-options.ts'
import type { Volume } from './volume.ts'

type TypedOptions = Readonly<Record<string, string>>

/** The ways a volume comes. */
export class VolumeCreation {
  readonly #desk: VolumeDesk

  constructor(desk: VolumeDesk) {
    this.#desk = desk
  }

  /**
   * Creates a volume in the store that its options name. One that begins as a clone
   * is in the store of its source if they name none.
   */
  async create(name: string, typed: TypedOptions): Promise<Volume> {
    const options = parseVolumeOptions(typed)
    refuseUnasked(options)
    return this.#create(name, options)
  }

  /** Creates a volume that is not whole until `finish` says so. */
  async begin(
    name: string,
    typed: TypedOptions,
    doing: string,
  ): Promise<Volume> {
    const options = parseVolumeOptions(typed)
    refuseUnasked(options)
    return this.#create(name, changedOptions(options, { unfinished: doing }))
  }

  async finish(name: string): Promise<Volume> {
    return this.#desk.turn('Finishing', [name], async () => {
      const { options } = this.#desk.volume(name)
      if (options.unfinished === undefined) throw new VolumeNotFoundError(name)
      const whole = changedOptions(options, { unfinished: undefined })
      const store = this.#desk.storeOf(name)
      const volume = await this.#desk.ask(store, () =>
        store.bring(name, (to) => to.amend(name, whole)),
      )
      await store.keep(volume)
      return volume
    })
  }

  async #create(name: string, options: VolumeOptions): Promise<Volume> {
    checkVolumeName(name)
    const { from } = options
    const store = await this.#storeFor(options)
    const make = async (turn: Turn): Promise<Volume> => {
      await store.tried()
      await store.retry()
      refuseUnable(options, store.storer())
      const volume = await this.#make(store, name, options)
      if (turn.isLate) await store.storer().remove(name)
      else await store.keep(volume)
      return volume
    }
    const others = from === undefined ? [] : [parseCloneSource(from).volume]
    return this.#desk.turn('Creating', [name, ...others], make)
  }

  /**
   * Creates a volume that begins as `source` is, `VOLUME` or `VOLUME@SNAPSHOT`,
   * however long that takes.
   */
  async clone(
    source: string,
    name: string,
    typed: TypedOptions,
    copying: CopyOptions,
  ): Promise<Volume> {
    checkVolumeName(name)
    const options = parseVolumeOptions({ ...typed, from: source })
    refuseUnasked(options)
    const store = await this.#storeFor(options)
    const { volume } = parseCloneSource(source)
    const make = async (): Promise<Volume> => {
      const storer = store.storer()
      const { from: _from, ...others } = options
      refuseUnable(others, storer)
      requireAbility(storer, 'clone')
      const made = await this.#make(store, name, options, copying)
      await store.keep(made)
      return made
    }
    await store.tried()
    const isQuick =
      store.storer().capabilities.from === true ||
      this.#desk.holds.count(volume) > 0
    return isQuick
      ? this.#desk.turn('Cloning', [volume, name], make)
      : this.#desk.longTurn('Cloning', [volume, name], make)
  }

  async #make(
    store: AttachedStore,
    name: string,
    options: VolumeOptions,
    copying: CopyOptions = {},
  ): Promise<Volume> {
    if (this.#desk.catalogue.entry(name) !== undefined) {
      throw new VolumeExistsError(name)
    }
    const storer = store.storer()
    checkVolumeName(name, storer.capabilities.maxNameBytes)
    if (options.from !== undefined) {
      this.#checkSource(options.from, store, copying)
    }
    await this.#desk.holds.clear(name)
    const isNoted = options.unfinished === undefined
    return this.#desk.ask(store, () =>
      store.bring(name, (to) => to.create(name, options, copying), isNoted),
    )
  }

  /** A snapshot may be copied at any time; a volume in use, only as its store can. */
  #checkSource(
    from: string,
    store: AttachedStore,
    { pause }: CopyOptions,
  ): void {
    const { volume, snapshot } = parseCloneSource(from)
    const source = this.#desk.volume(volume)
    if (source.store !== store.name) {
      throw new NotSupportedError(
        `A clone of volume "${volume}" must be in its volume store, "${source.store}": to copy it into "${store.name}", export it and import it there`,
      )
    }
    if (snapshot === undefined) {
      const holders = [...this.#desk.holds.holders(volume).keys()]
      requireCopyable(volume, store.storer(), { holders, pause })
    } else if (!source.snapshots.some(({ name }) => name === snapshot)) {
      throw new SnapshotNotFoundError(volume, snapshot)
    }
  }

  async #storeFor({
    from,
    store,
    typed,
  }: VolumeOptions): Promise<AttachedStore> {
    const isNamed = Object.keys(typed).some(
      (key) => optionName(key) === 'store',
    )
    if (from === undefined || isNamed) return this.#desk.catalogue.store(store)
    const { volume } = parseCloneSource(from)
    const what = `Opening the store of volume "${volume}"`
    await this.#desk.inTime(what, this.#desk.catalogue.settled(volume))
    return this.#desk.storeOf(volume)
  }
}
