import type { VolumeOptions } from './volume-options.ts'
import type { VolumeUsage } from './volume-usage.ts'
import type { Volume } from './volume.ts'

/** A volume that was removed and can still be brought back. */
export interface TrashedVolume {
  /**
   * What it goes by in the trash of its store, where several may have had one name.
   * Of two, the one removed later is the greater string.
   */
  readonly id: string
  /** What it was called. */
  readonly name: string
  readonly store: string
  /** When it was removed, as RFC 3339 has it. */
  readonly removedAt: string
  /** Who held it then. Docker removes only what it believes to be held by nobody. */
  readonly holders: readonly string[]
  readonly createdAt: string
  readonly options: VolumeOptions
}

/** What stands in a trash and cannot be brought back as a volume. */
export interface TrashProblem {
  readonly id: string
  readonly reason: string
}

/** What is in the trash. One damaged entry never hides the others. */
export interface TrashListing {
  /** Those removed first come first. */
  readonly volumes: readonly TrashedVolume[]
  readonly problems: readonly TrashProblem[]
}

/** How a volume is put into the trash. */
export interface PutOptions {
  /** Who holds the volume at this moment. */
  readonly holders?: readonly string[]
}

/**
 * Where a store keeps the volumes that were removed, until they are brought back or
 * deleted.
 *
 * A trashed volume is out of the store's list and its name is free. It is as whole
 * as it was, with everything that belongs to it, and stays so over crashes: a
 * volume is either in the store or in its trash. How long it may stay there is not
 * the store's affair; `VolumeTrash` and those who empty it see to that.
 *
 * Calls for one volume take turns, and so do calls for one id.
 */
export interface StoreTrash {
  /**
   * Removes the volume `name` into the trash. Only unmounted volumes are removed.
   *
   * @throws VolumeNotFoundError when there is none of that name.
   * @throws InUseError when something else is mounted inside.
   */
  put(name: string, options?: PutOptions): Promise<TrashedVolume>

  list(): Promise<TrashListing>

  /**
   * Brings a removed volume back as `name`, be that its own name or another.
   *
   * @throws NotFoundError when the trash has nothing under `id`.
   * @throws VolumeExistsError when `name` is taken; then it stays in the trash.
   */
  restore(id: string, name: string): Promise<Volume>

  /**
   * Deletes a removed volume for good. It is gone at once; the room that it took
   * comes back in the background. That it is gone already is no failure.
   *
   * @throws InUseError when something is mounted inside by now.
   */
  delete(id: string): Promise<void>

  /**
   * How much a removed volume takes, measured away from the main thread.
   *
   * @throws NotFoundError when the trash has nothing under `id`.
   */
  usage(id: string): Promise<VolumeUsage>
}
