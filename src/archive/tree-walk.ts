import { constants } from 'node:fs'
import type { Directory } from '../linux/directory.ts'
import type { PathString } from './path-bytes.ts'
import { type FileStatus, isDirectory } from '../linux/file-status.ts'
import type { ChangeKind } from './changes.ts'
import { type ChangeTime, isDifferent, NEVER } from './difference.ts'
import { isWhiteout, type LowerView } from './lower-view.ts'
import { isOpaque, refuseMetacopy, refuseRedirect } from './overlay-features.ts'

/** A change as the walk comes upon it: with its place, open, and what is there. */
export interface WalkedChange {
  readonly kind: ChangeKind
  /** From the root of the tree, without a slash before. */
  readonly path: PathString
  readonly directory: Directory
  readonly name: PathString
  /** Of what is there; `undefined` if it was deleted. */
  readonly status: FileStatus | undefined
}

export interface WalkOptions {
  /** What the tree is compared with; without it, all of the tree was added. */
  readonly below?: LowerView | undefined
  /** The tree is overlay's upper directory: it holds changes, and whiteouts. */
  readonly isUpper?: boolean
  /** When the tree had been copied from what is below it. */
  readonly copied?: ChangeTime | undefined
  /** The root is told as well, by the empty path. */
  readonly tellsRoot?: boolean
  /**
   * Directories of a snapshot that lead to something which was touched since; in
   * another that has the number of its counterpart, nothing was.
   */
  readonly touched?: ReadonlySet<bigint> | undefined
  /** Nobody writes to the tree: that something vanishes is an error. */
  readonly isSealed?: boolean
  /** Called at every step; what it throws ends the walk. */
  readonly check?: (() => void) | undefined
  /** Directories that nobody wants to hear of, nor of what is in them. */
  readonly prunes?: ((path: PathString) => boolean) | undefined
}

/** A directory that the walk is in. */
interface Frame {
  readonly directory: Directory
  /** Ends in a slash; empty for the root. */
  readonly path: PathString
  readonly below: LowerView | undefined
  /** Whether what is below and not here is deleted. */
  readonly hidesRest: boolean
  /** Names, and for directories once more with a slash behind, in byte order. */
  readonly keys: readonly PathString[]
  nextKey: number
  /** What is below, if this hides it. */
  readonly lowerNames: readonly PathString[]
  nextLower: number
  /** Names that were directories when their turn came. */
  readonly directories: Set<PathString>
  /** The directory itself, to be told before the first change in it. */
  pending: WalkedChange | undefined
  /** The key under which it was entered ahead of its turn, if it was. */
  aheadAs: PathString | undefined
  /** By key: subdirectories that were entered ahead, and how far that went. */
  readonly ahead: Map<PathString, Walked>
}

/** A walk that was interrupted, and what it had found by then. */
interface Walked {
  readonly frames: readonly Frame[]
  readonly found: readonly WalkedChange[]
}

/**
 * Walks a tree and tells its changes in the byte order of their full paths: `a`,
 * `a-b`, `a/c`. So a directory's name and what is in it are not neighbours, and it
 * has two places among its siblings: as itself, and with a slash behind.
 *
 * A directory that did not change is told all the same if something in it did, and
 * at its first place. Where other names lie between the two, it is entered ahead of
 * its turn and left at its first change, to be resumed at the second place.
 *
 * The walk keeps the directories that lead to where it is and their names, never
 * what it has passed; it recurses nowhere, however deep the tree.
 */
export class TreeWalk {
  readonly #isUpper: boolean
  readonly #hasLowers: boolean
  readonly #isSealed: boolean
  readonly #copied: ChangeTime
  readonly #touched: ReadonlySet<bigint> | undefined
  readonly #check: () => void
  readonly #prunes: (path: PathString) => boolean
  readonly #frames: Frame[]
  readonly #found: WalkedChange[] = []

  constructor(tree: Directory, options: WalkOptions = {}) {
    this.#isUpper = options.isUpper ?? false
    this.#hasLowers = this.#isUpper && options.below !== undefined
    this.#isSealed = options.isSealed ?? false
    this.#copied = options.copied ?? NEVER
    this.#touched = options.touched
    this.#check = options.check ?? (() => undefined)
    this.#prunes = options.prunes ?? (() => false)
    if (options.tellsRoot === true) {
      const status = tree.status('.')
      const itself = { path: '', directory: tree, name: '.', status }
      this.#found.push({ kind: 'added', ...itself })
    }
    this.#frames = [this.#frame(tree, '', options.below, !this.#isUpper)]
  }

  /** The next change; its directory is open until the one after it is asked for. */
  next(): WalkedChange | undefined {
    for (;;) {
      const found = this.#found.shift()
      if (found !== undefined) return found
      const frame = this.#frames.at(-1)
      if (frame === undefined) return undefined
      this.#check()
      this.#step(frame)
    }
  }

  /** Lets go of the directories that it is in. */
  close(): void {
    for (let frame = this.#frames.pop(); frame; frame = this.#frames.pop()) {
      for (const { frames } of frame.ahead.values())
        this.#frames.push(...frames)
      closeFrame(frame)
    }
  }

  #step(frame: Frame): void {
    const key = frame.keys[frame.nextKey]
    const lower = frame.lowerNames[frame.nextLower]
    if (lower !== undefined && (key === undefined || lower < key)) {
      frame.nextLower += 1
      this.#tell(frame, 'deleted', lower)
    } else if (key === undefined) {
      this.#frames.pop()
      closeFrame(frame)
    } else {
      frame.nextKey += 1
      if (lower === key) frame.nextLower += 1
      if (key.endsWith('/')) this.#descend(frame, key)
      else this.#visit(frame, key)
    }
  }

  #visit(frame: Frame, name: PathString): void {
    const { directory, below } = frame
    const status = directory.status(name)
    if (status === undefined) {
      this.#vanished(directory, name)
      return
    }
    const now = { directory, name, status }
    const was = below?.find(name)
    if (this.#isUpper && isWhiteout(status)) {
      if (was !== undefined) this.#tell(frame, 'deleted', name)
      return
    }
    if (this.#hasLowers) refuseMetacopy(now)
    if (isDirectory(status)) frame.directories.add(name)
    if (was === undefined) this.#tell(frame, 'added', name, status)
    else if (isDifferent(now, was, this.#copied)) {
      this.#tell(frame, 'modified', name, status)
    } else if (isDirectory(status)) {
      if (this.#isUntouched(status, was.status)) passOver(frame, name)
      else this.#lookInto(frame, name, status)
    }
  }

  #isUntouched(status: FileStatus, was: FileStatus): boolean {
    return (
      this.#touched !== undefined &&
      status.inode === was.inode &&
      !this.#touched.has(status.inode)
    )
  }

  /** Has an unchanged directory told if there turns out to be a change in it. */
  #lookInto(frame: Frame, name: PathString, status: FileStatus): void {
    const key = `${name}/`
    const lower = frame.lowerNames[frame.nextLower]
    const isNext = frame.keys[frame.nextKey] === key
    if (isNext && (lower === undefined || lower > key)) frame.nextKey += 1
    else frame.ahead.set(key, { frames: [], found: [] })
    const entered = this.#enter(frame, name)
    if (entered === undefined) return
    entered.pending = change(frame, 'modified', name, status)
    if (frame.ahead.has(key)) entered.aheadAs = key
  }

  #descend(frame: Frame, key: PathString): void {
    const name = key.slice(0, -1)
    // Since it was listed, it may have become something else.
    if (!frame.directories.delete(name)) {
      this.#vanished(frame.directory, name)
      return
    }
    const walked = frame.ahead.get(key)
    if (walked === undefined) {
      this.#enter(frame, name)
      return
    }
    frame.ahead.delete(key)
    this.#frames.push(...walked.frames)
    this.#found.push(...walked.found)
  }

  #enter(frame: Frame, name: PathString): Frame | undefined {
    const path = frame.path + name
    if (this.#prunes(path)) return undefined
    const directory = frame.directory.child(name)
    if (directory === undefined) return this.#vanished(frame.directory, name)
    const below = frame.below?.child(name)
    const entered = this.#frame(directory, `${path}/`, below, frame.hidesRest)
    this.#frames.push(entered)
    return entered
  }

  #frame(
    directory: Directory,
    path: PathString,
    below: LowerView | undefined,
    hidesRest: boolean,
  ): Frame {
    if (this.#hasLowers) refuseRedirect(directory)
    const hides = hidesRest || isOpaque(directory)
    return {
      directory,
      path,
      below,
      hidesRest: hides,
      keys: keysOf(directory),
      nextKey: 0,
      lowerNames: hides ? (below?.names() ?? []) : [],
      nextLower: 0,
      directories: new Set(),
      pending: undefined,
      aheadAs: undefined,
      ahead: new Map(),
    }
  }

  #vanished(directory: Directory, name: PathString): undefined {
    if (this.#isSealed) throw vanished(directory, name)
    return undefined
  }

  /** Tells a change, and before it the directories above that wait for one. */
  #tell(
    frame: Frame,
    kind: ChangeKind,
    name: PathString,
    status?: FileStatus,
  ): void {
    let found = [change(frame, kind, name, status)]
    for (let depth = this.#frames.length - 1; depth >= 0; depth -= 1) {
      const above = this.#frames[depth]
      const itself = above?.pending
      if (above === undefined || itself === undefined) break
      above.pending = undefined
      if (above.aheadAs === undefined) {
        found.unshift(itself)
        continue
      }
      // What was found in it has to wait for its turn.
      const walked = { frames: this.#frames.splice(depth), found }
      this.#frames.at(-1)?.ahead.set(above.aheadAs, walked)
      found = [itself]
    }
    this.#found.push(...found)
  }
}

/** For what was there, and then was not, in a tree that should be left alone. */
export function vanished(directory: Directory, name: PathString): Error {
  return new Error(
    `"${directory.describe(name)}" was there, and then was not: somebody writes to the layer`,
  )
}

function change(
  { directory, path }: Frame,
  kind: ChangeKind,
  name: PathString,
  status: FileStatus | undefined,
): WalkedChange {
  return { kind, path: path + name, directory, name, status }
}

/** Has nothing left to find in a subdirectory when its second turn comes. */
function passOver(frame: Frame, name: PathString): void {
  frame.ahead.set(`${name}/`, { frames: [], found: [] })
}

function keysOf(directory: Directory): PathString[] {
  const keys: PathString[] = []
  directory.eachEntry((name, type) => {
    keys.push(name)
    if ((type & constants.S_IFMT) === constants.S_IFDIR) keys.push(`${name}/`)
  })
  return keys.toSorted()
}

function closeFrame({ directory, below }: Frame): void {
  directory.close()
  below?.close()
}
