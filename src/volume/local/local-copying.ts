import { join } from 'node:path'
import { Thread } from '../../base/thread.ts'
import { syncFilesystem } from '../../linux/sync-filesystem.ts'
import { exchangeData } from '../exchange-data.ts'
import { DATA } from '../folder-layout.ts'
import type { CopyingKeeping, KeptVolume } from '../volume-keeping.ts'
import { setAttributes } from '../volume-root.ts'
import type { TreeCalls } from './tree-worker.ts'

/** Copies of directories, file by file; blocks are shared where the filesystem can. */
export class LocalCopying implements CopyingKeeping {
  readonly atOnce = { because: 'it copies file by file, which takes a while' }
  readonly live = {
    because: 'files that change while they are copied are not of one moment',
  }
  readonly pause = { because: 'nothing keeps writers of a directory waiting' }

  async clone(volume: KeptVolume, source: KeptVolume): Promise<void> {
    await copyData(source.directory, volume.directory)
    await setAttributes(join(volume.directory, DATA), volume.options)
  }

  async copy(source: KeptVolume, directory: string): Promise<void> {
    await copyData(source.directory, directory)
  }

  async showCopy(): Promise<void> {}

  async restore(
    { directory }: KeptVolume,
    copy: string,
    scratch: string,
  ): Promise<void> {
    await copyData(copy, scratch)
    await exchangeData(directory, scratch)
  }
}

/** In a thread of its own: many files take long, and others copy too. */
async function copyData(source: string, target: string): Promise<void> {
  const thread = new Thread<TreeCalls>(
    new URL('tree-worker.js', import.meta.url),
  )
  try {
    await thread.call('copy', join(source, DATA), join(target, DATA))
  } finally {
    await thread.close()
  }
  await syncFilesystem(target)
}
