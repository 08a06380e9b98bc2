import { join } from 'node:path'
import { snapshotSubvolume, syncFilesystem } from '../../linux/btrfs.ts'
import { exchangeData } from '../exchange-data.ts'
import { DATA } from '../folder-layout.ts'
import type { CopyingKeeping, KeptVolume } from '../volume-keeping.ts'
import { setAttributes } from '../volume-root.ts'
import { limitTo } from './btrfs-resizing.ts'

/** Copies of subvolumes, which the filesystem makes at once and of one moment. */
export class BtrfsCopying implements CopyingKeeping {
  readonly atOnce = true
  readonly live = true
  readonly pause = { because: 'nobody need wait for a copy' }

  async clone(volume: KeptVolume, source: KeptVolume): Promise<void> {
    const data = join(volume.directory, DATA)
    await snapshotSubvolume(join(source.directory, DATA), data)
    await setAttributes(data, volume.options)
    await limitTo(data, volume.capacity)
    await syncFilesystem(data)
  }

  /** It has no limit of its own, and needs none: nothing is written to it. */
  async copy(source: KeptVolume, directory: string): Promise<void> {
    await snapshotSubvolume(
      join(source.directory, DATA),
      join(directory, DATA),
      { readonly: true },
    )
  }

  async showCopy(): Promise<void> {}

  async restore(
    { directory, capacity }: KeptVolume,
    copy: string,
    scratch: string,
  ): Promise<void> {
    const data = join(scratch, DATA)
    await snapshotSubvolume(join(copy, DATA), data)
    await limitTo(data, capacity)
    await exchangeData(directory, scratch)
    await syncFilesystem(directory)
  }
}
