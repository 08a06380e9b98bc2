import * as fs from 'node:fs'
import { isErrno } from '../base/errors.ts'
import type { ConfinedRoot } from '../linux/confined-root.ts'
import { getXattr } from '../linux/xattr.ts'
import { removeNode } from './confined-removal.ts'
import {
  type Attributes,
  type Birth,
  DEFAULT_ACL,
  dress,
  shedInherited,
} from './node-maker.ts'
import {
  joinPath,
  nameOf,
  parentOf,
  type PathString,
  toFsPath,
} from './path-bytes.ts'

/** Directories that nobody describes: open to all, as Docker makes them since 2022. */
const IMPLIED_MODE = 0o755
/** As many links as the kernel follows on one way. */
const MAX_LINKS = 40

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Attributes that wait for the end, and when they came. */
interface Pending {
  readonly attributes: Attributes
  readonly turn: number
}

/**
 * The directories of a tree that is being written: where one is, which are made on
 * the way, and how those turn out that the archive describes. Their attributes
 * come last of all, because every name made in a directory changes its time, and
 * because a setgid bit would be handed down to what is made in it.
 */
export class TreeDirectories {
  readonly #root: ConfinedRoot
  readonly #owner: Owner
  /** Nothing was here before, so nothing hands anything down. */
  readonly #isFresh: boolean
  readonly #pending = new Map<PathString, Pending>()
  /** Those of `#pending`, and all above them. */
  readonly #described = new Set<PathString>()
  readonly #removals = new Map<PathString, number>()
  #turn = 0
  #entered: PathString | undefined
  #here: PathString = ''
  #inherits = false

  constructor(root: ConfinedRoot, owner: Owner, isFresh: boolean) {
    this.#root = root
    this.#owner = owner
    this.#isFresh = isFresh
    root.enter('')
    this.#arrive('')
    this.#inherits = handsDown(root)
  }

  /** The path of the directory entered last, without links. */
  get here(): PathString {
    return this.#here
  }

  /** How things turn out that are made here. */
  birth(): Birth {
    return {
      uid: PROCESS.uid,
      gid: PROCESS.gid,
      umask: this.#root.umask,
      inherits: this.#inherits,
    }
  }

  /** Goes to `directory`, making it and all on the way that is not there. */
  enter(directory: PathString): void {
    if (this.#entered === directory) return
    this.#ensure(directory, 0)
    this.#arrive(directory)
  }

  /**
   * Whether `directory` is where its path says: nothing on the way, as far as it
   * is there, is a link.
   */
  isDirect(directory: PathString): boolean {
    for (
      let at = directory, next = '';
      ;
      next = nameOf(at), at = parentOf(at)
    ) {
      if (!this.enterExisting(at)) continue
      return this.#here === at && !(next !== '' && this.#isLink(next))
    }
  }

  /** Goes to `directory` if it is there. */
  enterExisting(directory: PathString): boolean {
    if (this.#entered === directory) return true
    try {
      this.#root.enter(directory)
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
      throw error
    }
    this.#arrive(directory)
    return true
  }

  /** Removes `name` from here, whatever it is. */
  remove(name: PathString): void {
    if (removeNode(this.#root, name) !== 'directory') return
    this.replaced(joinPath(this.#here, name))
    this.#root.enter(this.#here)
  }

  /** Somebody else went elsewhere; goes back to where we are. */
  comeBack(): void {
    this.#root.enter(this.#here)
  }

  /** Somebody else may have changed where the path to here leads. */
  lookAgain(): void {
    this.#entered = undefined
  }

  /**
   * Makes a directory here, unless there is one, and answers its path. Two threads
   * may make the same at the same time.
   */
  make(name: PathString): PathString {
    const path = this.#root.at(name)
    for (;;) {
      if (tryMkdir(path, IMPLIED_MODE)) {
        if (this.#inherits) shedInherited(path)
        break
      }
      if (isDirectory(path)) break
      unlinkOther(path)
    }
    return joinPath(this.#here, name)
  }

  /** Attributes for a directory; `''` is the root. */
  describe(path: PathString, attributes: Attributes): void {
    this.#pending.set(path, { attributes, turn: ++this.#turn })
    for (let at = path; !this.#described.has(at); at = parentOf(at)) {
      this.#described.add(at)
    }
  }

  /** Something else takes the place of `path`: what was said of it is void. */
  replaced(path: PathString): void {
    if (this.#described.has(path)) this.#removals.set(path, ++this.#turn)
  }

  /** Gives all directories their attributes, once everything else is made. */
  finish(): void {
    for (const [path, { attributes, turn }] of this.#pending) {
      if (this.#wasRemoved(path, turn) || !this.enterExisting(path)) continue
      dress(this.#root.at('.'), attributes)
    }
  }

  #isLink(name: PathString): boolean {
    const path = toFsPath(this.#root.at(name))
    const stats = fs.lstatSync(path, { throwIfNoEntry: false })
    return stats?.isSymbolicLink() ?? false
  }

  #arrive(directory: PathString): void {
    this.#entered = directory
    this.#here = this.#root.here()
    if (!this.#isFresh) this.#inherits = handsDown(this.#root)
  }

  /** The kernel resolves `path`, which may be a link's target and hold `..`. */
  #ensure(path: PathString, links: number): void {
    try {
      this.#root.enter(path)
      return
    } catch (error) {
      if (!isErrno(error, 'ENOENT') || path === '' || links > MAX_LINKS) {
        throw error
      }
    }
    this.#ensure(parentOf(path), links)
    const name = this.#root.at(nameOf(path))
    if (tryMkdir(name, IMPLIED_MODE)) {
      this.#dressImplied(name)
    } else {
      const target = linkTarget(name)
      if (target !== undefined) this.#ensureTarget(path, target, links + 1)
    }
    this.#root.enter(path)
  }

  /** Makes what a link at `path` leads to; Docker's own code stops at such links. */
  #ensureTarget(path: PathString, target: PathString, links: number): void {
    const way = target.replace(/\/+/g, '/').replace(/\/$/, '')
    if (way.startsWith('/')) this.#ensure(way.slice(1), links)
    else this.#ensure(joinPath(parentOf(path), way), links)
  }

  #dressImplied(path: PathString): void {
    const { uid, gid } = this.#owner
    if (this.#isFresh ? this.#inherits : handsDown(this.#root)) {
      shedInherited(path)
    }
    fs.lchownSync(toFsPath(path), uid, gid)
    fs.chmodSync(toFsPath(path), IMPLIED_MODE)
  }

  #wasRemoved(path: PathString, turn: number): boolean {
    if (this.#removals.size === 0) return false
    for (let at = path; at !== ''; at = parentOf(at)) {
      if ((this.#removals.get(at) ?? 0) > turn) return true
    }
    return false
  }
}

const PROCESS: Owner = {
  uid: process.geteuid?.() ?? 0,
  gid: process.getegid?.() ?? 0,
}

/** Whether the entered directory hands its group or an ACL down. */
function handsDown(root: ConfinedRoot): boolean {
  const path = root.at('.')
  const isSetGid = (fs.statSync(path).mode & 0o2000) !== 0
  return isSetGid || getXattr(path, DEFAULT_ACL) !== undefined
}

function tryMkdir(path: PathString, mode: number): boolean {
  try {
    fs.mkdirSync(toFsPath(path), mode)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

/** A directory in its place is somebody's work, and stays. */
function unlinkOther(path: PathString): void {
  try {
    fs.unlinkSync(toFsPath(path))
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EISDIR', 'EPERM')) throw error
  }
}

function isDirectory(path: PathString): boolean {
  const stats = fs.lstatSync(toFsPath(path), { throwIfNoEntry: false })
  return stats?.isDirectory() ?? false
}

function linkTarget(path: PathString): PathString | undefined {
  try {
    return fs.readlinkSync(toFsPath(path), 'latin1')
  } catch (error) {
    if (isErrno(error, 'EINVAL')) return undefined
    throw error
  }
}
