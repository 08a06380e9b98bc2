import * as fs from 'node:fs'
import { constants } from 'node:os'
import { isErrno } from '../base/errors.ts'
import type { ConfinedRoot } from '../linux/confined-root.ts'
import type { Directory } from '../linux/directory.ts'
import { isDirectory, isSymlink } from '../linux/file-status.ts'
import { systemError } from '../linux/libc.ts'
import { mknod } from '../linux/mknod.ts'
import { setXattr } from '../linux/xattr.ts'
import { type Found, LowerView } from './lower-view.ts'
import {
  joinPath,
  nameOf,
  parentOf,
  type PathString,
  toFsPath,
} from './path-bytes.ts'
import { OVERLAY_OPAQUE } from './whiteout.ts'

/** As many links as the kernel follows on one way. */
const MAX_LINKS = 40
const YES = Buffer.of('y'.charCodeAt(0))

/**
 * What shows through overlay's upper directory while a layer is written to it.
 *
 * The upper was empty when the layer began, so all that hides something below was
 * done by this layer, and is remembered here. Paths are those of the tree that the
 * mount will show, without links.
 */
export class OverlayLowers implements Disposable {
  readonly #root: ConfinedRoot
  readonly #views = new Map<PathString, LowerView | undefined>()
  /** Where a directory from below no longer shows, though the upper may have one. */
  readonly #hidden = new Set<PathString>()
  readonly #whiteouts = new Set<PathString>()
  readonly #resolved = new Map<PathString, PathString>()

  /** @param lowers Nearest first. */
  constructor(root: ConfinedRoot, lowers: readonly Directory[]) {
    this.#root = root
    this.#views.set('', LowerView.ofLowers(lowers))
  }

  /** What shows at `path` from below, were there nothing in the upper. */
  find(path: PathString): Found | undefined {
    return this.#view(parentOf(path))?.find(nameOf(path))
  }

  /**
   * Where `directory` is, once all links on the way are followed, in the upper and
   * below. What is not there yet stays as it is called.
   *
   * @throws ENOTDIR where something on the way is no directory, and ELOOP.
   */
  resolve(directory: PathString): PathString {
    const known = this.#resolved.get(directory)
    if (known !== undefined) return known
    const names = directory.split('/')
    let at = ''
    for (let links = 0, name; (name = names.shift()) !== undefined;) {
      if (name === '' || name === '.') continue
      if (name === '..') {
        at = parentOf(at)
        continue
      }
      const path = joinPath(at, name)
      const target = this.#linkAt(path)
      if (target === undefined) {
        at = path
        continue
      }
      if (++links > MAX_LINKS) throw pathError('ELOOP', directory)
      if (target.startsWith('/')) at = ''
      names.unshift(...target.split('/'))
    }
    this.#resolved.set(directory, at)
    return at
  }

  /** A directory was made in the upper. Answers what it continues, if it does. */
  madeDirectory(path: PathString): Found | undefined {
    this.linksChanged()
    this.#resolved.set(path, path)
    this.#whiteouts.delete(path)
    if (this.#hidden.has(path)) {
      this.#root.enter(parentOf(path))
      this.#makeOpaque(nameOf(path))
      return undefined
    }
    const found = this.find(path)
    return found && isDirectory(found.status) ? found : undefined
  }

  /**
   * Something else than a directory was made at `path`. What it hides matters only
   * if a directory takes its place, so nobody looks for that before.
   */
  madeOther(path: PathString): void {
    this.#whiteouts.delete(path)
    this.linksChanged()
  }

  /** A link may be gone from the upper, or another in its place. */
  linksChanged(): void {
    this.#resolved.clear()
  }

  /** What was made at `path`, no directory, makes way for one. */
  gaveWay(path: PathString): void {
    this.#cover(path)
  }

  /** Marks `path` as deleted; the upper has nothing there, and its directory. */
  whiteOut(path: PathString): void {
    this.#root.enter(parentOf(path))
    mknod(toFsPath(this.#root.at(nameOf(path))), 'character', 0o600)
    this.#whiteouts.add(path)
    this.linksChanged()
    this.#cover(path)
  }

  /** Whether the upper has our mark of a deletion at `path`. */
  isWhitedOut(path: PathString): boolean {
    return this.#whiteouts.has(path)
  }

  /**
   * Lets nothing from below show in `directory`, which is in the upper and has
   * nothing but what this layer made. Answers whether anything did.
   */
  hide(directory: PathString): boolean {
    const view = this.#view(directory)
    if (view === undefined) return false
    const names = view.names()
    if (directory === '') this.#hideAll(names)
    else {
      this.#root.enter(directory)
      this.#makeOpaque('.')
      this.#cover(directory)
    }
    return names.length > 0
  }

  /** Closes whatever was opened below; the lowers themselves are their opener's. */
  [Symbol.dispose](): void {
    for (const [path, view] of this.#views) if (path !== '') view?.close()
  }

  /** The kernel knows no opaque root: each of its names is hidden by itself. */
  #hideAll(names: readonly PathString[]): void {
    for (const name of names) {
      const status = this.#upperStatus(name)
      if (status === undefined) this.whiteOut(name)
      else if (status.isDirectory()) this.hide(name)
    }
  }

  #makeOpaque(name: PathString): void {
    setXattr(toFsPath(this.#root.at(name)), OVERLAY_OPAQUE, YES)
  }

  #cover(path: PathString): void {
    if (this.#view(path) === undefined) return
    this.#hidden.add(path)
    this.#forget(path)
    this.#views.set(path, undefined)
    for (const known of this.#views.keys()) {
      if (known.startsWith(`${path}/`)) this.#forget(known)
    }
    for (const known of this.#whiteouts) {
      if (known.startsWith(`${path}/`)) this.#whiteouts.delete(known)
    }
  }

  #forget(path: PathString): void {
    this.#views.get(path)?.close()
    this.#views.delete(path)
  }

  #view(path: PathString): LowerView | undefined {
    if (this.#views.has(path)) return this.#views.get(path)
    const view = this.#view(parentOf(path))?.child(nameOf(path))
    this.#views.set(path, view)
    return view
  }

  /** Where the link at `path` leads, if it is one. */
  #linkAt(path: PathString): PathString | undefined {
    const status = this.isWhitedOut(path) ? undefined : this.#upperStatus(path)
    if (status !== undefined) {
      if (status.isDirectory()) return undefined
      if (!status.isSymbolicLink()) throw pathError('ENOTDIR', path)
      return fs.readlinkSync(toFsPath(this.#root.at(nameOf(path))), 'latin1')
    }
    const found = this.isWhitedOut(path) ? undefined : this.find(path)
    if (found === undefined || isDirectory(found.status)) return undefined
    if (!isSymlink(found.status)) throw pathError('ENOTDIR', path)
    return found.directory.readLink(found.name)
  }

  #upperStatus(path: PathString): fs.Stats | undefined {
    try {
      this.#root.enter(parentOf(path))
      return fs.lstatSync(toFsPath(this.#root.at(nameOf(path))))
    } catch (error) {
      // Our mark of a deletion may be where the directory was.
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw error
    }
  }
}

function pathError(code: 'ENOTDIR' | 'ELOOP', path: PathString): Error {
  const text = Buffer.from(path, 'latin1').toString()
  return systemError(constants.errno[code], 'open', [text])
}
