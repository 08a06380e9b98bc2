import { closeSync, fsyncSync, openSync, statfsSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { FsMagic } from './fs-magic.ts'
import { declare } from './libc.ts'

const syncfs = declare('syncfs', ['int'])

/**
 * Puts on disk that the entries of `directory` are what they are, with all that led
 * to it. btrfs keeps that for sure only in a commit of the whole: its log of single
 * directories may have a name twice, or a directory without what is in it.
 * Synchronous, for a thread.
 */
export function syncEntries(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    const { type } = statfsSync(directory)
    if (type >>> 0 === FsMagic.btrfs) syncfs(descriptor)
    else fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Waits until everything that was written to the filesystem of `path` before is on
 * disk: for a tree of many files it takes less than one fsync for each.
 */
export async function syncFilesystem(path: string): Promise<void> {
  const file = await fs.open(path, 'r')
  try {
    await syncfs.later(file.fd)
  } finally {
    await file.close()
  }
}
