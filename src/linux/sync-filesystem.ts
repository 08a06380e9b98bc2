import * as fs from 'node:fs/promises'
import { declare } from './libc.ts'

const syncfs = declare('syncfs', ['int'])

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
