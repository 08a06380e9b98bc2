import * as fs from 'node:fs'
import { constants } from 'node:os'
import { isErrno } from '../base/errors.ts'
import type { ConfinedRoot } from '../linux/confined-root.ts'
import { isDirectory as isDirectoryStatus } from '../linux/file-status.ts'
import { systemError } from '../linux/libc.ts'
import { removeNode } from './confined-removal.ts'
import { attributesOf, copyUp } from './copy-up.ts'
import {
  type Attributes,
  type Birth,
  type Born,
  DEFAULT_ACL,
  dress,
  dressXattrs,
  handsDown,
  shedInherited,
} from './node-maker.ts'
import type { OverlayLowers } from './overlay-lowers.ts'
import { isDirectory, linkTarget, tryMkdir, unlinkOther } from './path-calls.ts'
import { PendingAttributes } from './pending-attributes.ts'
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

export interface TreeDirectoriesOptions {
  /** Of directories that nobody describes. */
  readonly owner: Owner
  /** Nothing was in the tree before, and the attributes of directories come last. */
  readonly isFresh: boolean
  /** The tree is overlay's upper directory, and this is below it. */
  readonly lowers?: OverlayLowers | undefined
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
  /** Whether all directories hand down what the root does. */
  #isUniform: boolean
  readonly #lowers: OverlayLowers | undefined
  readonly #pending = new PendingAttributes()
  #entered: PathString | undefined
  /** The directory entered last, if that was to change something in it. */
  #changing: PathString | undefined
  #here: PathString = ''
  #inherits = false

  constructor(root: ConfinedRoot, options: TreeDirectoriesOptions) {
    this.#root = root
    this.#owner = options.owner
    this.#isUniform = options.isFresh
    this.#lowers = options.lowers
    root.enter('')
    this.#arrive('')
    this.#inherits = handsDown(root.at('.'))
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

  /** Whether it is `directory` that was entered last, to change something in it. */
  isIn(directory: PathString): boolean {
    return this.#changing === directory
  }

  /** Goes to `directory` to change something in it, making what is not there. */
  enter(directory: PathString): void {
    if (this.isIn(directory)) return
    this.goTo(directory)
    this.#pending.changed(this.#here)
    this.#changing = directory
  }

  /** Goes to `directory`, making it and all on the way that is not there. */
  goTo(directory: PathString): void {
    this.#ensure(this.resolve(directory), 0)
    this.#arrive(directory)
  }

  /**
   * Whether `directory` is where its path says: nothing on the way, as far as it
   * is there, is a link.
   */
  isDirect(directory: PathString): boolean {
    if (this.#lowers !== undefined) {
      return this.#tryResolve(directory) === directory
    }
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
    const real = this.#tryResolve(directory)
    if (real === undefined || !this.#tryEnter(real)) return false
    this.#arrive(directory)
    return true
  }

  /** Removes `name` from here, whatever it is. */
  remove(name: PathString): void {
    this.#doubtLinks()
    this.#lowers?.linksChanged()
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
    this.#changing = undefined
  }

  /**
   * Makes a directory here, unless there is one, and answers its path and, if it is
   * new and plain, what it is born with. Two threads may make the same at the same
   * time.
   */
  make(name: PathString): { path: PathString; born?: Born } {
    this.#doubtLinks()
    const path = joinPath(this.#here, name)
    const at = this.#root.at(name)
    while (!tryMkdir(at, IMPLIED_MODE)) {
      if (isDirectory(at)) return { path }
      unlinkOther(at)
      this.#lowers?.gaveWay(path)
    }
    if (this.#inherits) shedInherited(at)
    const below = this.#continueLower(path)
    if (this.#inherits || (below?.xattrs.size ?? 0) > 0) return { path }
    return {
      path,
      born: { ...PROCESS, mode: IMPLIED_MODE & ~this.#root.umask },
    }
  }

  /** What was made here, other than a directory. */
  madeOther(name: PathString): void {
    this.#doubtLinks()
    this.#lowers?.madeOther(joinPath(this.#here, name))
  }

  /** Deletes `path`, and what shows there from below. */
  delete(path: PathString): void {
    const name = nameOf(path)
    const parent = this.#tryResolve(parentOf(path))
    if (parent === undefined) return
    const real = joinPath(parent, name)
    if (this.#lowers?.find(real) === undefined) {
      if (this.enterExisting(parent)) this.remove(name)
      return
    }
    this.enter(parent)
    this.remove(name)
    this.#lowers.whiteOut(real)
  }

  /** Where `directory` is without links, if there are lowers; else its own path. */
  resolve(directory: PathString): PathString {
    if (this.#lowers === undefined) return directory
    this.lookAgain()
    return this.#lowers.resolve(directory)
  }

  /** Lets nothing from below show in the directory where we are. */
  hide(): void {
    if (this.#lowers?.hide(this.#here)) this.#pending.changed(this.#here)
  }

  /** Copies the file at `path` to the upper directory, if it is only below. */
  bringUp(path: PathString): void {
    if (this.#lowers?.isWhitedOut(path)) throw linkError('ENOENT', path)
    const found = this.#lowers?.find(path)
    if (found === undefined) return
    this.goTo(parentOf(path))
    const name = nameOf(path)
    const upper = toFsPath(this.#root.at(name))
    if (fs.lstatSync(upper, { throwIfNoEntry: false }) !== undefined) return
    if (isDirectoryStatus(found.status)) throw linkError('EPERM', path)
    copyUp(found, this.#root.at(name))
    this.madeOther(name)
  }

  /** Attributes for a directory, `''` being the root; `born` as `make` answers it. */
  describe(path: PathString, attributes: Attributes, born?: Born): void {
    this.#pending.describe(path, attributes, born)
  }

  /** Something else takes the place of `path`: what was said of it is void. */
  replaced(path: PathString): void {
    this.#pending.replaced(path)
  }

  /** Gives all directories their attributes, once everything else is made. */
  finish(): void {
    for (const [path, wanted, born] of this.#pending.entries()) {
      if (this.#tryEnter(path)) dress(this.#root.at('.'), wanted, { born })
    }
  }

  #tryResolve(directory: PathString): PathString | undefined {
    try {
      return this.resolve(directory)
    } catch (error) {
      if (isErrno(error, 'ENOTDIR')) return undefined
      throw error
    }
  }

  /** What is made or removed here may be a link that led here. */
  #doubtLinks(): void {
    if (this.#here !== this.#entered) this.lookAgain()
  }

  #tryEnter(path: PathString): boolean {
    try {
      this.#root.enter(path)
      return true
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
      throw error
    }
  }

  #isLink(name: PathString): boolean {
    const path = toFsPath(this.#root.at(name))
    const stats = fs.lstatSync(path, { throwIfNoEntry: false })
    return stats?.isSymbolicLink() ?? false
  }

  #arrive(directory: PathString): void {
    this.#entered = directory
    this.#changing = undefined
    this.#here = this.#root.here()
    if (!this.#isUniform) this.#inherits = handsDown(this.#root.at('.'))
  }

  /** The kernel resolves `path`, which may be a link's target and hold `..`. */
  #ensure(path: PathString, links: number): void {
    try {
      this.#root.enter(path)
      return
    } catch (error) {
      // Overlay's mark of a deletion is in the way as a file would be.
      const isMissing = isErrno(error, 'ENOENT', this.#lowers ? 'ENOTDIR' : '')
      if (!isMissing || path === '' || links > MAX_LINKS) throw error
    }
    this.#ensure(parentOf(path), links)
    const name = this.#root.at(nameOf(path))
    if (this.#lowers?.isWhitedOut(path)) unlinkOther(name)
    if (tryMkdir(name, IMPLIED_MODE)) {
      this.#dressImplied(name)
      const attributes = this.#continueLower(path)
      if (attributes) this.#pending.continue(path, attributes)
      else this.#pending.changed(parentOf(path))
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
    if (this.#isUniform ? this.#inherits : handsDown(this.#root.at('.'))) {
      shedInherited(path)
    }
    fs.lchownSync(toFsPath(path), uid, gid)
    fs.chmodSync(toFsPath(path), IMPLIED_MODE)
  }

  /** Gives a new directory what it has from below, and answers the rest of it. */
  #continueLower(path: PathString): Attributes | undefined {
    const below = this.#lowers?.madeDirectory(path)
    if (below === undefined) return undefined
    this.#root.enter(parentOf(path))
    const attributes = attributesOf(below)
    if (attributes.xattrs.has(DEFAULT_ACL)) this.#isUniform = false
    dressXattrs(this.#root.at(nameOf(path)), attributes.xattrs)
    return attributes
  }
}

const PROCESS: Owner = {
  uid: process.geteuid?.() ?? 0,
  gid: process.getegid?.() ?? 0,
}

function linkError(code: 'ENOENT' | 'EPERM', path: PathString): Error {
  const text = Buffer.from(path, 'latin1').toString()
  return systemError(constants.errno[code], 'link', [text])
}
