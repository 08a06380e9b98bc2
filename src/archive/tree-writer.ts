import * as fs from 'node:fs'
import { InvalidArgumentError, isErrno } from '../base/errors.ts'
import type { ConfinedRoot } from '../linux/confined-root.ts'
import { entryPath } from './entry-path.ts'
import { type IdMap, type IdMaps, toHost } from './id-map.ts'
import {
  type Attributes,
  dress,
  dressFile,
  makeSpecial,
  NEW_FILE,
} from './node-maker.ts'
import type { OverlayLowers } from './overlay-lowers.ts'
import {
  joinPath,
  nameOf,
  parentOf,
  type PathString,
  toFsPath,
} from './path-bytes.ts'
import type { TarEntry } from './tar/tar-entry.ts'
import { type Owner, TreeDirectories } from './tree-directories.ts'

/** A file whose bytes are coming in. */
interface OpenFile {
  readonly descriptor: number
  readonly path: PathString
  readonly entry: TarEntry
}

export interface TreeWriterOptions {
  readonly idMaps: IdMaps
  /** The tree is empty, and nobody else has written to it. */
  readonly isFresh: boolean
  /** Gives directories their attributes; of several threads, one does. */
  readonly describes: boolean
  /** The tree is overlay's upper directory, and this is below it. */
  readonly lowers?: OverlayLowers | undefined
}

/**
 * Writes the entries of an archive into a tree, one after the other, over whatever
 * is there: only a directory over a directory leaves the old one. Attributes are
 * set on the thing itself, never through a link.
 *
 * Everything is done by synchronous calls, on a thread that does nothing else.
 */
export class TreeWriter implements Disposable {
  readonly directories: TreeDirectories
  readonly #root: ConfinedRoot
  readonly #idMaps: IdMaps
  readonly #describes: boolean
  readonly #lowers: OverlayLowers | undefined
  #file: OpenFile | undefined
  #bytes = 0

  constructor(root: ConfinedRoot, options: TreeWriterOptions) {
    const { idMaps, isFresh, describes, lowers } = options
    this.#root = root
    this.#idMaps = idMaps
    this.#describes = describes
    this.#lowers = lowers
    const owner = ownerOfImplied(idMaps)
    this.directories = new TreeDirectories(root, { owner, isFresh, lowers })
  }

  /** The bytes of all files so far. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Puts `entry` at `path`. Its data are to follow if it is a file.
   *
   * @throws InvalidArgumentError for an owner outside the user namespace.
   */
  make(entry: TarEntry, path: PathString): void {
    const attributes = this.#attributesOf(entry)
    if (path === '') {
      this.#describeRoot(entry, attributes)
      return
    }
    this.directories.enter(parentOf(path))
    const name = nameOf(path)
    if (entry.type === 'directory') this.#makeDirectory(name, attributes)
    else if (entry.type === 'file') this.#open(entry, name)
    else if (entry.type === 'hardlink') this.#link(entry, name, attributes)
    else this.#makeOther(entry, name, attributes)
  }

  /** Bytes for the file that was made last. */
  write(bytes: Buffer, position: number): void {
    if (this.#file === undefined) return
    const { descriptor } = this.#file
    for (let done = 0; done < bytes.length;) {
      const rest = bytes.length - done
      done += fs.writeSync(descriptor, bytes, done, rest, position + done)
    }
  }

  /** All bytes of the file that was made last have come. */
  close(): void {
    if (this.#file === undefined) return
    const { descriptor, entry, path } = this.#file
    if (entry.sparse !== undefined) fs.ftruncateSync(descriptor, entry.size)
    const birth = this.directories.birth()
    dressFile(descriptor, path, this.#attributesOf(entry), birth)
    fs.closeSync(descriptor)
    this.#file = undefined
    this.#bytes += entry.size
  }

  /** Lets go of a file that is still open, when all is lost. */
  [Symbol.dispose](): void {
    if (this.#file !== undefined) fs.closeSync(this.#file.descriptor)
    this.#file = undefined
  }

  #makeDirectory(name: PathString, attributes: Attributes): void {
    const { path, born } = this.directories.make(name)
    if (this.#describes) this.directories.describe(path, attributes, born)
  }

  #open(entry: TarEntry, name: PathString): void {
    const mode = entry.mode & 0o777
    const descriptor = this.#replacing(name, (path) =>
      fs.openSync(toFsPath(path), NEW_FILE, mode),
    )
    this.#file = { descriptor, path: this.#root.at(name), entry }
  }

  #makeOther(entry: TarEntry, name: PathString, wanted: Attributes): void {
    const isSymlink = entry.type === 'symlink'
    this.#replacing(name, (path) => {
      if (isSymlink) fs.symlinkSync(entry.linkName, toFsPath(path))
      else makeSpecial(path, entry)
    })
    dress(this.#root.at(name), wanted, { isSymlink })
  }

  #link(entry: TarEntry, name: PathString, wanted: Attributes): void {
    const target = this.#linkTarget(entry)
    this.#root.reach(parentOf(target), nameOf(target), (existing) => {
      if (isSameFile(existing, this.#root.at(name))) return
      this.#replacing(name, (path) =>
        fs.linkSync(toFsPath(existing), toFsPath(path)),
      )
    })
    // The file is the same under all its names; the last entry describes it.
    const path = this.#root.at(name)
    const status = fs.lstatSync(toFsPath(path))
    if (status.isDirectory()) {
      throw new InvalidArgumentError('A directory has one name only')
    }
    dress(path, wanted, { isSymlink: status.isSymbolicLink() })
  }

  /** Where the file is that an entry links to, brought up if it is only below. */
  #linkTarget(entry: TarEntry): PathString {
    const target = entryPath(entry.linkName)
    if (this.#lowers === undefined) return target
    const { here } = this.directories
    const directory = this.directories.resolve(parentOf(target))
    const path = joinPath(directory, nameOf(target))
    this.directories.bringUp(path)
    this.directories.lookAgain()
    this.directories.enter(here)
    return path
  }

  /** Does `make`, if need be again after removing what has the name already. */
  #replacing<T>(name: PathString, make: (path: PathString) => T): T {
    const made = this.#tryTwice(name, make)
    this.directories.madeOther(name)
    return made
  }

  #tryTwice<T>(name: PathString, make: (path: PathString) => T): T {
    try {
      return make(this.#root.at(name))
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error
    }
    this.directories.remove(name)
    return make(this.#root.at(name))
  }

  #describeRoot(entry: TarEntry, attributes: Attributes): void {
    if (entry.type !== 'directory') {
      throw new InvalidArgumentError('The root of the tree must be a directory')
    }
    if (this.#describes) this.directories.describe('', attributes)
  }

  #attributesOf({ mode, uid, gid, mtime, xattrs }: TarEntry): Attributes {
    const { uids, gids } = this.#idMaps
    return {
      mode,
      uid: toHost(uid, uids),
      gid: toHost(gid, gids),
      mtime,
      xattrs,
    }
  }
}

function ownerOfImplied({ uids, gids }: IdMaps): Owner {
  return {
    uid: rootOf(uids, process.geteuid?.()),
    gid: rootOf(gids, process.getegid?.()),
  }
}

function rootOf(map: IdMap, own = 0): number {
  return map.length === 0 ? own : toHost(0, map)
}

function isSameFile(one: PathString, other: PathString): boolean {
  const [a, b] = [one, other].map((path) =>
    fs.lstatSync(toFsPath(path), { throwIfNoEntry: false, bigint: true }),
  )
  return a !== undefined && a.ino === b?.ino && a.dev === b.dev
}
