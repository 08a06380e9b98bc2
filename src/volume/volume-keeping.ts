import type { CopyOptions } from './copy-options.ts'
import type { VolumeOptions } from './volume-options.ts'
import type { Ability, Refusal, Resized } from './volume-storer.ts'
import type { VolumeUsage } from './volume-usage.ts'

/** One volume as a keeping sees it, and the directory that it has. */
export interface KeptVolume {
  readonly name: string
  readonly directory: string
  readonly options: VolumeOptions
  /** The most bytes it may hold now; unlimited if absent. */
  readonly capacity?: number | undefined
}

/** A {@link VolumeKeeping} that can copy what volumes hold. */
export interface CopyingKeeping {
  /** Whether a copy takes hardly any time, however large the volume is. */
  readonly atOnce: Ability
  /** Whether it may be made while somebody has the volume mounted. */
  readonly live: Ability
  /** Whether it may be made then by keeping writers waiting. */
  readonly pause: Ability

  /**
   * Makes in the directory of `volume`, like `make`, a volume that holds what
   * `source` does now: another volume, or what `copy` has made.
   */
  clone(
    volume: KeptVolume,
    source: KeptVolume,
    options: CopyOptions,
  ): Promise<void>

  /**
   * Makes in `directory`, which is empty, what `source` holds now, for nobody to
   * write to. It can be hidden and erased like the directory of a volume.
   */
  copy(
    source: KeptVolume,
    directory: string,
    options: CopyOptions,
  ): Promise<void>

  /** Sees to it that what was copied into `directory` is at `data`, to be read. */
  showCopy(directory: string): Promise<void>

  /**
   * Makes `volume`, which is not shown, hold what was copied into `directory`. After
   * a crash it holds that, or what it did before.
   *
   * @param scratch An empty directory beside that of the volume, to build things in
   *   and to leave them: it is erased afterwards.
   * @throws InvalidArgumentError when it has not the room for that.
   */
  restore(volume: KeptVolume, directory: string, scratch: string): Promise<void>
}

/** A {@link VolumeKeeping} that can change the capacity of volumes. */
export interface ResizingKeeping {
  readonly grow: Ability
  readonly shrink: Ability

  /**
   * Sees to it that the volume has the capacity that `volume` says, be it shown or
   * not. A crash may leave it with the old one: then it is called again.
   *
   * @param scratch As `CopyingKeeping.restore` has one.
   * @throws InvalidArgumentError for one that cannot be, or holds less than is there.
   */
  resize(volume: KeptVolume, scratch: string): Promise<Resized>
}

/**
 * How a kind of store keeps the files of a volume.
 *
 * `FolderStore` gives each volume a directory, with its record and everything else
 * that kinds of store have in common; see `folder-layout.ts`. A keeping only sees
 * to it that the files are at `data` in there: as a directory, a subvolume, or
 * something that is mounted.
 *
 * Calls for one volume take turns. The directory may be renamed between two calls,
 * so a keeping remembers no path. It is a volume in the making, which `make` was
 * called for and which may be half made; a volume; or one on its way out.
 */
export interface VolumeKeeping {
  /** The kind of store that keeps its volumes so, such as `local`. */
  readonly kind: string

  /** Raised when what is on disk changes in a way that older programs would misread. */
  readonly edition: number

  readonly capacity: Ability

  /** The capacity of volumes that are given none; unlimited if absent. */
  readonly defaultCapacity?: number | undefined

  /** How volumes are copied; or why they are not. */
  readonly copying: CopyingKeeping | Refusal

  /** How volumes grow and shrink; or why they do not. */
  readonly resizing: ResizingKeeping | Refusal

  /** Whether volumes can be made of directories that are elsewhere, as they are. */
  readonly adopts?: boolean

  /** When something is mounted at `data`. */
  readonly mounting: 'never' | 'while held' | 'always'

  /**
   * Makes an empty `data` in the directory of a volume that nobody can see yet.
   * Absent where that is a plain directory, which is made with all the rest.
   *
   * @throws InvalidArgumentError for a capacity that cannot be.
   */
  make?(volume: KeptVolume): Promise<void>

  /** Sees to it that the files are at `data`. That they are already is no failure. */
  show(volume: KeptVolume): Promise<void>

  /** Undoes what `show` did, if it did. */
  hide(directory: string): Promise<void>

  /**
   * How much is in the volume. Absent where the files at `data` tell it, which are
   * there at all times.
   */
  usage?(directory: string): Promise<VolumeUsage>

  /** Takes away what cannot be deleted as plain files, where it is there at all. */
  erase(directory: string): Promise<void>
}

/**
 * Finds out whether volumes can be kept so in a store's directory, and what can be
 * done with them there.
 *
 * @throws NotSupportedError where they cannot be.
 */
export type OpenKeeping = (store: string) => Promise<VolumeKeeping>
