import type { VolumeOptions } from './volume-options.ts'
import type { Ability } from './volume-storer.ts'
import type { VolumeUsage } from './volume-usage.ts'

/** One volume as a keeping sees it, and the directory that it has. */
export interface KeptVolume {
  readonly name: string
  readonly directory: string
  readonly options: VolumeOptions
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

  /** Whether `make` can begin a volume as a clone of another. */
  readonly from: Ability

  /** When something is mounted at `data`. */
  readonly mounting: 'never' | 'while held' | 'always'

  /**
   * Makes `data` in the directory of a volume that nobody can see yet: empty, or as
   * it is now in `source`.
   *
   * @throws InvalidArgumentError for a capacity that cannot be.
   */
  make(volume: KeptVolume, source?: KeptVolume): Promise<void>

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
