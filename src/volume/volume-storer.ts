import type { StoreTrash } from './store-trash.ts'
import type { CopyOptions } from './copy-options.ts'
import type { StoreSnapshots } from './store-snapshots.ts'
import type { VolumeOptions } from './volume-options.ts'
import type { StoreRoom, VolumeUsage } from './volume-usage.ts'
import type { Volume } from './volume.ts'

/** Why a store cannot do something, in words that follow "because". */
export interface Refusal {
  readonly because: string
}

/** `true`, or why not. */
export type Ability = true | Refusal

/**
 * What a store can do beyond keeping volumes. It is believed: what is declared
 * here is offered to people, and what is not is refused with the reason given. The
 * suite tests every claim.
 */
export interface VolumeCapabilities {
  /** The longest name in bytes; no store gets one above `MAX_NAME_BYTES`. */
  readonly maxNameBytes: number
  /** Keeps a volume from holding more than its `capacity`. */
  readonly capacity: Ability
  /** Sets `uid`, `gid` and `mode` of a volume's root. */
  readonly ownership: Ability
  /** Makes the mounts of an `ro` volume read-only. */
  readonly ro: Ability
  /** Takes an existing directory over: the option `path`. */
  readonly path: Ability
  /** Begins a volume as a clone of another, at once: the option `from` of Docker. */
  readonly from: Ability
  /** Keeps removed volumes until they are deleted: `trash`. */
  readonly trash: Ability
  /** Begins a volume as a clone of another, however long that takes. */
  readonly clone: Ability
  /** Keeps snapshots of volumes, and rolls volumes back to them. */
  readonly snapshots: Ability
  /**
   * Clones and snapshots volumes that somebody has mounted, as they are at one
   * moment; of others they are so anyway.
   */
  readonly live: Ability
  /** Does so by keeping writers waiting for `LONGEST_PAUSE` at most. */
  readonly pause: Ability
  /** Gives volumes more capacity than they have. */
  readonly grow: Ability
  /** Gives volumes less capacity than they have, while nobody has them mounted. */
  readonly shrink: Ability
  /** Gives volumes other names, while nobody has them mounted. */
  readonly rename: Ability
}

/** From when on a volume has the room that it was given. */
export type Resized = 'now' | 'when it is mounted' | 'when it is mounted again'

/** A volume that was given another capacity, and from when on it has that. */
export interface ResizedVolume {
  readonly volume: Volume
  readonly effective: Resized
}

/** What a store cannot show: its name is taken, and this is why. */
export interface VolumeProblem {
  readonly name: string
  readonly reason: string
}

/** What a store has put right by itself, such as what a crash had left. */
export interface VolumeRepair {
  readonly name: string
  /** What became of the volume, in words that follow its name. */
  readonly repair: string
}

/** What a store has. One bad volume does not hide the others. */
export interface VolumeListing {
  readonly volumes: readonly Volume[]
  readonly problems: readonly VolumeProblem[]
  /** What was put right since the last list. */
  readonly repairs?: readonly VolumeRepair[]
}

/**
 * A place that keeps volumes.
 *
 * A volume is a name, options that it was created with, and a directory of files
 * that belong to whoever mounts it. A store creates volumes, lists them, shows
 * their files at a mountpoint, and removes them. The disk is its truth: opened
 * again after a crash, a store has every volume that it acknowledged, and nothing
 * half made can be seen.
 *
 * A store need not do more. `VolumeLookupCache` stands between it and its
 * callers. It
 *
 * - remembers the list, so that looking up never waits for a store;
 * - keeps names unique across stores, and checks names and options first;
 * - lets calls for one volume take turns; calls for different ones run at once;
 * - counts holders: it mounts for the first and unmounts after the last;
 * - sets deadlines, and takes a store that fails to be down, not empty.
 *
 * A store that cannot reach its volumes throws `UnavailableError`. It never
 * answers an empty list, or that a volume does not exist, for want of an answer.
 *
 * To add a store: implement this, open it in `store-kinds.ts`, pass
 * `describeVolumeStorer`.
 */
export interface VolumeStorer {
  /** What the store goes by, here and in each of its volumes. */
  readonly name: string

  /** The way it keeps volumes, such as `local`. */
  readonly kind: string

  readonly capabilities: VolumeCapabilities

  /**
   * Creates a volume and returns it: empty, or with the option `from` as a clone of
   * another volume or of a snapshot. It is on disk for good by then. On failure no
   * trace of it remains. A clone may hold what its source does, or as much as its
   * own `capacity` says.
   *
   * @throws VolumeExistsError when `name` is taken, be it by a damaged volume or by
   *   another who creates it at this moment.
   */
  create(
    name: string,
    options: VolumeOptions,
    copying?: CopyOptions,
  ): Promise<Volume>

  /**
   * The volume as it is on disk now.
   *
   * @throws VolumeNotFoundError when there is none of that name.
   */
  get(name: string): Promise<Volume>

  /** All volumes, and what stands where a volume should be, in any order. */
  list(): Promise<VolumeListing>

  /**
   * Shows the volume's files at an absolute path, and returns the path. It is the
   * same for as long as the volume is mounted; mounting again changes nothing that
   * those who have it mounted can see.
   *
   * A new volume's mountpoint is an empty directory that root can write: anything
   * in it, be it `lost+found`, keeps Docker from filling it from the image.
   *
   * @throws VolumeNotFoundError when there is none of that name.
   */
  mount(name: string): Promise<string>

  /** Undoes what `mount` did, however often. Not being mounted is no failure. */
  unmount(name: string): Promise<void>

  /**
   * For those of `volumes` that `mount` really mounts: whether they are mounted
   * now, by the kernel's word. It corrects the count of holders after a crash.
   * Absent from a store whose mountpoints are always there.
   */
  mounted?(volumes: readonly Volume[]): Promise<ReadonlyMap<string, boolean>>

  /**
   * Has the volume described by `options` from now on, and returns it. Only what is
   * said of a volume is changed so, such as `protect` and its labels; nothing is
   * done to its files. After a crash it has either the old options or the new ones.
   *
   * @throws VolumeNotFoundError when there is none of that name.
   */
  amend(name: string, options: VolumeOptions): Promise<Volume>

  /**
   * How much the volume holds, measured away from the main thread. It may take as
   * long as the volume is large, and the volume may be used meanwhile: what changes
   * then is counted as it was or as it became.
   *
   * @throws VolumeNotFoundError when there is none of that name.
   */
  usage(name: string): Promise<VolumeUsage>

  /** How much room there is for all volumes together. */
  room(): Promise<StoreRoom>

  /** Where removed volumes go first; absent where `capabilities.trash` says why. */
  readonly trash?: StoreTrash

  /**
   * Removes the volume and its files, past the trash. It is gone at once, and stays
   * gone after a crash; what it took on disk may take a while longer. Only unmounted
   * volumes are removed. An adopted directory (the option `path`) stays as it is.
   *
   * @throws VolumeNotFoundError when there is none of that name.
   * @throws InUseError when something else is mounted inside: nothing that is not
   *   the volume's own is ever deleted.
   */
  remove(name: string): Promise<void>

  /** Snapshots of the volumes; there if the capabilities say so. */
  readonly snapshots?: StoreSnapshots

  /**
   * Gives a volume another capacity, and answers from when on it has it. Nobody has
   * mounted a volume that is to shrink. After a crash it has the old capacity or
   * the new one, and all its files.
   *
   * @throws VolumeNotFoundError when there is none of that name.
   * @throws InvalidArgumentError when it cannot have that capacity, or holds more.
   */
  resize?(name: string, capacity: number): Promise<ResizedVolume>

  /**
   * Gives a volume that nobody has mounted another name. After a crash it goes by
   * one of the two.
   *
   * @throws VolumeNotFoundError when there is none of that name.
   * @throws VolumeExistsError when the other name is taken.
   */
  rename?(name: string, to: string): Promise<Volume>

  /** Finishes what runs. Volumes stay mounted: containers may use them. */
  close(): Promise<void>
}
