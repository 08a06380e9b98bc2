import { join } from 'node:path'
import { InvalidArgumentError } from '../../base/errors.ts'
import {
  enableQuota,
  limitSubvolume,
  subvolumeUsage,
} from '../../linux/btrfs-quota.ts'
import { syncFilesystem } from '../../linux/btrfs.ts'
import { DATA } from '../folder-layout.ts'
import type { KeptVolume, ResizingKeeping } from '../volume-keeping.ts'
import type { Resized } from '../volume-storer.ts'

/** Below this, hardly a file could be made: the filesystem reserves as it works. */
const SMALLEST = 1024 * 1024

/** Capacities as limits of quota groups, which may change at any time. */
export class BtrfsResizing implements ResizingKeeping {
  readonly grow = true
  readonly shrink = true

  async resize({ name, directory, capacity }: KeptVolume): Promise<Resized> {
    const data = join(directory, DATA)
    refuseTooSmall(capacity)
    await enableQuota(data)
    // What is held is counted when it is written to disk.
    await syncFilesystem(data)
    const { referenced } = await subvolumeUsage(data)
    if (capacity !== undefined && referenced > capacity) {
      throw new InvalidArgumentError(
        `Volume "${name}" cannot have a capacity of ${capacity} bytes: it holds ${referenced}`,
      )
    }
    await limitTo(data, capacity)
    return 'now'
  }
}

/** @throws InvalidArgumentError for a capacity that cannot be. */
export function refuseTooSmall(capacity: number | undefined): void {
  if (capacity === undefined || capacity >= SMALLEST) return
  throw new InvalidArgumentError(
    `Capacity ${capacity} is too small: btrfs can limit a volume to ${SMALLEST} bytes at least`,
  )
}

/** Limits the subvolume at `data`, if there is a limit at all. */
export async function limitTo(
  data: string,
  capacity: number | undefined,
): Promise<void> {
  if (capacity === undefined) return
  refuseTooSmall(capacity)
  await enableQuota(data)
  await limitSubvolume(data, { referenced: capacity })
}
