import { constants } from 'node:fs'
import { type ByteString, Directory } from '../linux/directory.ts'
import { type FileStatus, isDirectory, isFile } from '../linux/file-status.ts'

/** How much a tree takes. */
export interface TreeUsage {
  /** Of files' content; a file with several names counts once. */
  readonly bytes: number
  readonly inodes: number
  /** What all of it takes on disk, in bytes. */
  readonly allocated: number
}

/** What st_blocks counts in, on every filesystem. */
const BLOCK = 512

/**
 * Measures the tree at `root`, and nothing that is mounted in it. Others may write
 * meanwhile: what is gone when its turn comes is not counted. Synchronous.
 */
export function usageOf(root: string): TreeUsage {
  const sum = new Sum()
  const top = Directory.open(root)
  const opened: [Directory, ByteString[]][] = []
  const enter = (directory: Directory): void => {
    opened.push([directory, measured(directory, sum)])
  }
  try {
    const status = top.status('.')
    if (status !== undefined) sum.add(status)
    enter(top)
    for (let at = opened.at(-1); at !== undefined; at = opened.at(-1)) {
      const [directory, rest] = at
      const name = rest.pop()
      const child = name === undefined ? undefined : directory.child(name)
      if (child !== undefined) enter(child)
      if (name !== undefined) continue
      directory.close()
      opened.pop()
    }
  } finally {
    for (const [directory] of opened) directory.close()
  }
  return sum.usage()
}

/** Adds what is in `directory`, and answers which of that are directories. */
function measured(directory: Directory, sum: Sum): ByteString[] {
  const below: ByteString[] = []
  directory.eachEntry((name, type) => {
    // What is mounted may have a server that does not answer, and is not asked.
    const status =
      type === constants.S_IFDIR
        ? directory.knownStatus(name)
        : directory.status(name)
    if (status === undefined || status.isMountRoot) return
    sum.add(status)
    if (isDirectory(status)) below.push(name)
  })
  return below
}

class Sum {
  readonly #seen = new Set<string>()
  #bytes = 0
  #inodes = 0
  #blocks = 0

  add(status: FileStatus): void {
    if (!isDirectory(status) && status.links > 1) {
      const key = `${status.onMajor}:${status.onMinor}:${status.inode}`
      if (this.#seen.has(key)) return
      this.#seen.add(key)
    }
    this.#inodes++
    this.#blocks += status.blocks
    if (isFile(status)) this.#bytes += status.size
  }

  usage(): TreeUsage {
    return {
      bytes: this.#bytes,
      inodes: this.#inodes,
      allocated: this.#blocks * BLOCK,
    }
  }
}
