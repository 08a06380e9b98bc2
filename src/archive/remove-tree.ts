import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
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
 * is. What it holds is never followed: neither links nor mounts.
 *
 * Synchronous, for a thread that has nothing else to do.
 *
 * @throws when a directory of another filesystem is in the way; what is beside it
 * may be gone by then, and what is in it stays.
 */
export function removeTree(root: string): void {
  const top = fs.lstatSync(root, { throwIfNoEntry: false })
  if (top === undefined) return
  if (!top.isDirectory()) fs.unlinkSync(root)
  else new Removal(toPathString(Buffer.from(root)), top.dev).run()
}

class Removal {
  readonly #root: PathString
  readonly #device: number
  /** Directories taken out of the depths, each to be deleted from its new place. */
  readonly #lifted: PathString[] = []

  constructor(root: PathString, device: number) {
    this.#root = root
    this.#device = device
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
    if (fs.lstatSync(toFsPath(path)).dev !== this.#device) {
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
