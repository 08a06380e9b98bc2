import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { mountLater, unmount } from '../../linux/mount.ts'
import { isMountpoint } from '../../linux/mountinfo.ts'
import { DATA, SETTLED } from '../folder-layout.ts'
import type { KeptVolume, VolumeKeeping } from '../volume-keeping.ts'
import { FORMAT } from './layout.ts'
import { TmpfsResizing } from './tmpfs-resizing.ts'

export interface TmpfsKeepingOptions {
  /** The capacity of volumes that are given none; half of the memory if absent. */
  readonly capacity?: number | undefined
}

/** Volumes in memory, which containers share and a reboot empties. */
export class TmpfsKeeping implements VolumeKeeping {
  readonly kind = FORMAT.kind
  readonly edition = FORMAT.edition
  readonly capacity = true
  readonly defaultCapacity: number | undefined
  readonly copying = { because: 'it keeps files in memory only' }
  readonly resizing = new TmpfsResizing()
  readonly mounting = 'always'

  constructor({ capacity }: TmpfsKeepingOptions = {}) {
    this.defaultCapacity = capacity
  }

  async show({ directory, capacity }: KeptVolume): Promise<void> {
    const data = join(directory, DATA)
    if (await isMountpoint(data)) return
    // What was in it is gone, and so are the attributes of its root.
    await fs.rm(join(directory, SETTLED), { force: true })
    const size = capacity === undefined ? [] : [`size=${capacity}`]
    await mountLater(
      { type: 'tmpfs', source: 'stowage', options: ['mode=0755', ...size] },
      data,
    )
  }

  /** The files are nowhere else. */
  async hide(): Promise<void> {}

  async erase(directory: string): Promise<void> {
    const data = join(directory, DATA)
    if (await isMountpoint(data)) await unmount(data)
  }
}
