import { join } from 'node:path'
import { NotSupportedError } from '../../base/errors.ts'
import { discardSubvolume } from '../../linux/btrfs-quota.ts'
import { createSubvolume, syncFilesystem } from '../../linux/btrfs.ts'
import { filesystemOf } from '../../linux/fs-magic.ts'
import { DATA } from '../folder-layout.ts'
import type { KeptVolume, VolumeKeeping } from '../volume-keeping.ts'
import { setAttributes } from '../volume-root.ts'
import { BtrfsCopying } from './btrfs-copying.ts'
import { BtrfsResizing, limitTo, refuseTooSmall } from './btrfs-resizing.ts'
import { FORMAT } from './layout.ts'

export interface BtrfsKeepingOptions {
  /** The capacity of volumes that are given none; unlimited if absent. */
  readonly capacity?: number | undefined
}

/** Volumes as subvolumes, limited by quota groups and cloned at once. */
export class BtrfsKeeping implements VolumeKeeping {
  readonly kind = FORMAT.kind
  readonly edition = FORMAT.edition
  readonly capacity = true
  readonly defaultCapacity: number | undefined
  readonly copying = new BtrfsCopying()
  readonly resizing = new BtrfsResizing()
  readonly mounting = 'never'

  private constructor({ capacity }: BtrfsKeepingOptions) {
    this.defaultCapacity = capacity
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

  async make({ directory, options, capacity }: KeptVolume): Promise<void> {
    refuseTooSmall(capacity)
    const data = join(directory, DATA)
    await createSubvolume(data)
    await setAttributes(data, options)
    await limitTo(data, capacity)
    // A new subvolume is on disk with the next commit, and no sooner.
    await syncFilesystem(data)
  }

  async show(): Promise<void> {}

  async hide(): Promise<void> {}

  async erase(directory: string): Promise<void> {
    await discardSubvolume(join(directory, DATA))
  }
}
