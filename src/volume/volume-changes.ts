import { InvalidArgumentError } from '../base/errors.ts'
import { changedOptions, type OptionChanges } from './changed-options.ts'
import type { CopyOptions } from './copy-options.ts'
import { refuseUnable } from './refuse-unable.ts'
import { requireAbility } from './require-ability.ts'
import type { VolumeCreation } from './volume-creation.ts'
import type { VolumeDesk } from './volume-desk.ts'
import { VolumeExistsError, VolumeInUseError } from './volume-errors.ts'
import { checkVolumeName } from './volume-name.ts'
import { optionName, parseVolumeOptions } from './volume-options.ts'
import type { ResizedVolume, VolumeStorer } from './volume-storer.ts'
import type { Volume } from './volume.ts'

/** What becomes of options that `set` does not change. */
const SETTLED_AT_BIRTH: Readonly<Record<string, string>> = {
  store: 'a volume stays in the store that it was created in',
  from: 'what a volume began as is past',
  path: 'an adopted directory stays the same: release the volume, and adopt another',
  capacity: 'the capacity changes by resizing',
  unfinished: 'it is ended by what makes the volume whole',
}

/** What can be done with volumes beyond mounting and removing them. */
export class VolumeChanges {
  readonly #desk: VolumeDesk
  readonly #creation: VolumeCreation

  constructor(desk: VolumeDesk, creation: VolumeCreation) {
    this.#desk = desk
    this.#creation = creation
  }

  /**
   * Creates a volume that begins as `source` is, which is `VOLUME` or
   * `VOLUME@SNAPSHOT`: in its store, and with its capacity if none is given. It may
   * take long, and nobody can mount the two meanwhile.
   *
   * @throws VolumeNotFoundError, SnapshotNotFoundError
   * @throws VolumeExistsError when the name is taken.
   * @throws NotSupportedError when the store clones no volumes.
   * @throws InUseError when somebody holds the source, and its store cannot copy it
   *   then.
   */
  async clone(
    source: string,
    name: string,
    typed: Readonly<Record<string, string>> = {},
    options: CopyOptions = {},
  ): Promise<Volume> {
    return this.#creation.clone(source, name, typed, options)
  }

  /**
   * Gives a volume another name. Docker, which would look for the old one, does not
   * hear of it.
   *
   * @throws VolumeInUseError while somebody holds it.
   * @throws VolumeExistsError when the name is taken, in whatever store.
   */
  async rename(name: string, to: string): Promise<Volume> {
    checkVolumeName(to)
    return this.#desk.turn('Renaming', [name, to], async () => {
      const store = this.#desk.storeOf(name)
      const storer = store.storer()
      requireAbility(storer, 'rename')
      checkVolumeName(to, storer.capabilities.maxNameBytes)
      if (this.#desk.catalogue.entry(to) !== undefined) {
        throw new VolumeExistsError(to)
      }
      this.#refuseHeld(name)
      await this.#desk.holds.clear(to)
      const volume = await this.#desk.ask(store, () =>
        store.bring(to, (at) => renamed(at, name, to)),
      )
      await store.keep(volume)
      await store.forget(name)
      return volume
    })
  }

  /**
   * Gives a volume another capacity, and answers from when on it has that.
   *
   * @throws NotSupportedError when its store cannot, with the reason.
   * @throws VolumeInUseError when it is to shrink, and somebody holds it.
   * @throws InvalidArgumentError when it cannot have that capacity, or holds more.
   */
  async resize(name: string, capacity: number): Promise<ResizedVolume> {
    await this.#desk.catalogue.settled(name)
    const { capacity: present } = this.#desk.volume(name)
    const shrinks = present !== undefined && capacity < present
    const act = async (): Promise<ResizedVolume> => {
      const store = this.#desk.storeOf(name)
      const storer = store.storer()
      requireAbility(storer, shrinks ? 'shrink' : 'grow')
      if (shrinks) this.#refuseHeld(name)
      const resized = await this.#desk.ask(store, () =>
        resize(storer, name, capacity),
      )
      await store.keep(resized.volume)
      return resized
    }
    return shrinks
      ? this.#desk.longTurn('Shrinking', [name], act)
      : this.#desk.turn('Resizing', [name], act)
  }

  /**
   * Changes options of a volume: labels, protection, `ro`, and the attributes of its
   * root, which it has when it is mounted next. `undefined` takes one away.
   *
   * @throws InvalidArgumentError for an option that cannot change, or have the value.
   * @throws NotSupportedError for one that the store cannot honour.
   * @throws VolumeInUseError for `ro`, while somebody holds the volume.
   */
  async set(name: string, changes: OptionChanges): Promise<Volume> {
    for (const option of Object.keys(changes).map(optionName)) {
      const reason = SETTLED_AT_BIRTH[option]
      if (reason === undefined) continue
      throw new InvalidArgumentError(
        `Option "${option}" of volume "${name}" cannot be set: ${reason}`,
      )
    }
    return this.#desk.turn('Changing', [name], async () => {
      const store = this.#desk.storeOf(name)
      const { options } = this.#desk.volume(name)
      const changed = changedOptions(options, changes)
      refuseUnable(parseVolumeOptions(given(changes)), store.storer())
      if (changed.ro !== options.ro) this.#refuseHeld(name)
      const volume = await this.#desk.ask(store, () =>
        store.storer().amend(name, changed),
      )
      await store.keep(volume)
      return volume
    })
  }

  #refuseHeld(name: string): void {
    const holders = [...this.#desk.holds.holders(name).keys()]
    if (holders.length > 0) throw new VolumeInUseError(name, holders)
  }
}

function given(changes: OptionChanges): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(changes).flatMap(([name, text]) =>
      text === undefined ? [] : [[name, text]],
    ),
  )
}

async function renamed(
  storer: VolumeStorer,
  name: string,
  to: string,
): Promise<Volume> {
  if (storer.rename !== undefined) return storer.rename(name, to)
  throw new Error(`Volume store "${storer.name}" claims to rename volumes`)
}

async function resize(
  storer: VolumeStorer,
  name: string,
  capacity: number,
): Promise<ResizedVolume> {
  if (storer.resize !== undefined) return storer.resize(name, capacity)
  throw new Error(`Volume store "${storer.name}" claims to resize volumes`)
}
