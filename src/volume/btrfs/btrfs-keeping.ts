import { join } from 'node:path'
import { InvalidArgumentError, NotSupportedError } from '../../base/errors.ts'
import {
  discardSubvolume,
  enableQuota,
  limitSubvolume,
} from '../../linux/btrfs-quota.ts'
import {
  createSubvolume,
  snapshotSubvolume,
  syncFilesystem,
} from '../../linux/btrfs.ts'
import { filesystemOf } from '../../linux/fs-magic.ts'
import { DATA } from '../folder-layout.ts'
import type { KeptVolume, VolumeKeeping } from '../volume-keeping.ts'
import { setAttributes } from '../volume-root.ts'
import { FORMAT } from './layout.ts'

/** Below this, hardly a file could be made: the filesystem reserves as it works. */
const SMALLEST = 1024 * 1024

export interface BtrfsKeepingOptions {
  /** The capacity of volumes that are given none; unlimited if absent. */
  readonly capacity?: number | undefined
}

/** Volumes as subvolumes, limited by quota groups and cloned at once. */
export class BtrfsKeeping implements VolumeKeeping {
  readonly kind = FORMAT.kind
  readonly edition = FORMAT.edition
  readonly capacity = true
  readonly from = true
  readonly mounting = 'never'
  readonly #capacity: number | undefined

  private constructor({ capacity }: BtrfsKeepingOptions) {
    this.#capacity = capacity
  }

  static async open(
    store: string,
    options: BtrfsKeepingOptions = {},
  ): Promise<BtrfsKeeping> {
    const filesystem = await filesystemOf(store)
    if (filesystem !== 'btrfs') {
      throw new NotSupportedError(
        `A btrfs store must be on btrfs, and "${store}" is on ${filesystem}`,
      )
    }
    return new BtrfsKeeping(options)
  }

  async make(
    { directory, options }: KeptVolume,
    source?: KeptVolume,
  ): Promise<void> {
    const capacity =
      options.capacity ?? source?.options.capacity ?? this.#capacity
    if (capacity !== undefined && capacity < SMALLEST) {
      throw new InvalidArgumentError(
        `Capacity ${capacity} is too small: btrfs can limit a volume to ${SMALLEST} bytes at least`,
      )
    }
    const data = join(directory, DATA)
    if (source === undefined) await createSubvolume(data)
    else await snapshotSubvolume(join(source.directory, DATA), data)
    await setAttributes(data, options)
    if (capacity !== undefined) {
      await enableQuota(data)
      await limitSubvolume(data, { referenced: capacity })
    }
    // A new subvolume is on disk with the next commit, and no sooner.
    await syncFilesystem(data)
  }

  async show(): Promise<void> {}

  async hide(): Promise<void> {}

  async erase(directory: string): Promise<void> {
    await discardSubvolume(join(directory, DATA))
  }
}
