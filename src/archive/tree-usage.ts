import * as fs from 'node:fs'
import { type PathString, toFsPath, toPathString } from './path-bytes.ts'

/** How much a tree takes. */
export interface TreeUsage {
  /** Of files' content; a file with several names counts once. */
  readonly bytes: number
  readonly inodes: number
}

/** Measures the tree at `root`, and nothing that is mounted in it. Synchronous. */
export function usageOf(root: string): TreeUsage {
  const start = toPathString(Buffer.from(root))
  const { dev } = fs.lstatSync(root)
  const seen = new Set<number>()
  let bytes = 0
  let inodes = 0
  const measure = (path: PathString): void => {
    const status = fs.lstatSync(toFsPath(path))
    if (status.dev !== dev) return
    if (status.isDirectory()) {
      for (const name of fs.readdirSync(toFsPath(path), 'latin1')) {
        measure(`${path}/${name}`)
      }
    } else if (status.nlink > 1) {
      if (seen.has(status.ino)) return
      seen.add(status.ino)
    }
    inodes++
    if (status.isFile()) bytes += status.size
  }
  measure(start)
  return { bytes, inodes }
}
