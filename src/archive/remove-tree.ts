import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import {
  type FileStatus,
  isDirectory,
  onSameDevice,
  statusOfPath,
} from '../linux/file-status.ts'
import {
  describePath,
  type PathString,
  toFsPath,
  toPathString,
} from './path-bytes.ts'

/** Well below PATH_MAX, and short enough to recurse into. */
const LONG_PATH = 2000

/**
 * Deletes the tree at `root`, whatever bytes its names hold and however deep it
 * is. What it holds is never followed: neither links nor mounts, binds among them.
 *
 * Synchronous, for a thread that has nothing else to do.
 *
 * @throws when a directory of another filesystem is in the way; what is beside it
 * may be gone by then, and what is in it stays.
 */
export function removeTree(root: string): void {
  if (fs.lstatSync(root, { throwIfNoEntry: false }) === undefined) return
  const top = statusOfPath(root)
  if (!isDirectory(top)) fs.unlinkSync(root)
  else if (!top.isMountRoot) new Removal(root, top).run()
  else throw new Error(`"${root}" is mounted`)
}

class Removal {
  readonly #root: PathString
  readonly #top: FileStatus
  /** Directories taken out of the depths, each to be deleted from its new place. */
  readonly #lifted: PathString[] = []

  constructor(root: string, top: FileStatus) {
    this.#root = toPathString(Buffer.from(root))
    this.#top = top
  }

  run(): void {
    this.#empty(this.#root)
    for (let next = this.#lifted.pop(); next; next = this.#lifted.pop()) {
      this.#empty(next)
      fs.rmdirSync(toFsPath(next))
    }
    fs.rmdirSync(toFsPath(this.#root))
  }

  #empty(directory: PathString): void {
    const entries = fs.readdirSync(toFsPath(directory), {
      withFileTypes: true,
      encoding: 'latin1',
    })
    for (const entry of entries) {
      const path = `${directory}/${entry.name}`
      if (!entry.isDirectory()) fs.unlinkSync(toFsPath(path))
      else if (path.length > LONG_PATH) this.#lift(path)
      else this.#removeDirectory(path)
    }
  }

  #removeDirectory(path: PathString): void {
    const status = statusOfPath(toFsPath(path))
    // A bind of a directory of the same filesystem has the same device.
    if (status.isMountRoot || !onSameDevice(status, this.#top)) {
      throw new Error(`${describePath(path)} lies on another filesystem`)
    }
    this.#empty(path)
    fs.rmdirSync(toFsPath(path))
  }

  /** A path too long for the kernel has no name but from further up. */
  #lift(path: PathString): void {
    const place = `${this.#root}/lifted-${randomBytes(8).toString('hex')}`
    fs.renameSync(toFsPath(path), toFsPath(place))
    this.#lifted.push(place)
  }
}
