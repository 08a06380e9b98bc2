import { InUseError, InvalidArgumentError } from '../base/errors.ts'
import { isWhole } from './list-whole.ts'
import type { TrashedVolume } from './store-trash.ts'
import type { VolumeDesk } from './volume-desk.ts'
import { VolumeInUseError, VolumeNotFoundError } from './volume-errors.ts'
import { isAnonymousName } from './volume-name.ts'
import type { VolumeStorer } from './volume-storer.ts'
import type { Volume } from './volume.ts'

/** How a volume is removed. */
export interface RemoveOptions {
  /** Whether holders lose their hold instead of standing in the way. */
  readonly dropHolders?: boolean
  /** Whether the volume is deleted at once instead of going to the trash. */
  readonly forGood?: boolean
}

/** The ways a volume goes. */
export class VolumeRemoval {
  readonly #desk: VolumeDesk
  readonly #keepsRemoved: boolean

  /** @param keepsRemoved Whether removed volumes go to the trash of their store. */
  constructor(desk: VolumeDesk, keepsRemoved: boolean) {
    this.#desk = desk
    this.#keepsRemoved = keepsRemoved
  }

  async remove(
    name: string,
    { dropHolders = false, forGood = false }: RemoveOptions,
  ): Promise<TrashedVolume | undefined> {
    return this.#desk.turn('Removing', [name], async () => {
      refuseProtected(this.#desk.volume(name))
      const holders = [...this.#desk.holds.holders(name).keys()]
      if (holders.length > 0 && !dropHolders) {
        throw new VolumeInUseError(name, holders)
      }
      return this.#remove(name, holders, forGood)
    })
  }

  async release(name: string): Promise<void> {
    await this.#desk.catalogue.settled(name)
    const { path } = this.#desk.volume(name).options
    if (path === undefined) {
      throw new InvalidArgumentError(
        `Volume "${name}" was not adopted, so it cannot be released: its files are in its store`,
      )
    }
    await this.remove(name, { forGood: true })
  }

  async #remove(
    name: string,
    holders: readonly string[],
    forGood: boolean,
  ): Promise<TrashedVolume | undefined> {
    const store = this.#desk.storeOf(name)
    const storer = store.storer()
    if (holders.length > 0) {
      await this.#desk.ask(store, () => storer.unmount(name))
    }
    const volume = this.#desk.volume(name)
    const isNamed = !isAnonymousName(name) || volume.snapshots.length > 0
    const isMissed = isNamed && isWhole(volume)
    const keeps = this.#keepsRemoved && isMissed && !forGood
    try {
      const trashed = await this.#desk.ask(store, () =>
        goneAnyway(takenOut(storer, name, keeps ? holders : undefined)),
      )
      await store.forget(name)
      return trashed
    } finally {
      // Not before: who looks meanwhile sees it held, or does not see it at all.
      await this.#desk.holds.clear(name)
    }
  }
}

function refuseProtected(volume: Volume): void {
  const { name, options } = volume
  if (!options.protect || !isWhole(volume)) return
  throw new InUseError(
    `Volume "${name}" is protected from removal: unprotect it first`,
  )
}

/** @param holders Those to be noted in the trash; if absent, the volume is deleted. */
async function takenOut(
  storer: VolumeStorer,
  name: string,
  holders: readonly string[] | undefined,
): Promise<TrashedVolume | undefined> {
  if (storer.trash !== undefined && holders !== undefined) {
    return storer.trash.put(name, { holders })
  }
  await storer.remove(name)
  return undefined
}

/** Removing what is gone already, by whomever, is as good. */
async function goneAnyway<T>(removal: Promise<T>): Promise<T | undefined> {
  try {
    return await removal
  } catch (error) {
    if (error instanceof VolumeNotFoundError) return undefined
    throw error
  }
}
