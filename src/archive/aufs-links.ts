import * as fs from 'node:fs'
import { InvalidArgumentError } from '../base/errors.ts'
import type { ConfinedRoot } from '../linux/confined-root.ts'
import {
  describePath,
  joinPath,
  type PathString,
  toFsPath,
} from './path-bytes.ts'
import { NO_BYTES, type TarEntry } from './tar/tar-entry.ts'
import type { TreeWriter } from './tree-writer.ts'
import { AUFS_LINKS } from './whiteout.ts'

const CHUNK = 256 * 1024

/**
 * The files of old aufs layers that have several names: their content comes first,
 * under a key, and their names come as links to it. As with Docker each name gets
 * a file of its own.
 */
export class AufsLinks {
  readonly #root: ConfinedRoot
  readonly #writer: TreeWriter
  readonly #kept = new Map<PathString, TarEntry>()

  constructor(root: ConfinedRoot, writer: TreeWriter) {
    this.#root = root
    this.#writer = writer
  }

  /** The bytes that are only put aside. */
  get bytes(): number {
    return [...this.#kept.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** Puts the file aside; its data are to follow. */
  keep(entry: TarEntry, key: PathString): void {
    this.#writer.make(entry, joinPath(AUFS_LINKS, key))
    this.#kept.set(key, entry)
  }

  /** @throws InvalidArgumentError when there was no such file. */
  link(path: PathString, key: PathString): void {
    const kept = this.#kept.get(key)
    if (kept === undefined) {
      throw new InvalidArgumentError(
        `The layer has no aufs file ${describePath(key)} to link to`,
      )
    }
    const entry = { ...kept, sparse: undefined, linkName: NO_BYTES }
    this.#writer.make(entry, path)
    this.#root.reach(AUFS_LINKS, key, (source) => this.#copy(source))
    this.#writer.close()
  }

  /** The names are all made; what was put aside goes. */
  remove(): void {
    if (this.#kept.size === 0) return
    this.#writer.directories.enter('')
    this.#writer.directories.remove(AUFS_LINKS)
  }

  #copy(source: PathString): void {
    const file = fs.openSync(toFsPath(source), fs.constants.O_RDONLY)
    try {
      const chunk = Buffer.allocUnsafe(CHUNK)
      for (let at = 0, length; ; at += length) {
        length = fs.readSync(file, chunk, 0, CHUNK, at)
        if (length === 0) return
        this.#writer.write(chunk.subarray(0, length), at)
      }
    } finally {
      fs.closeSync(file)
    }
  }
}
