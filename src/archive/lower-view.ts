import { constants } from 'node:fs'
import type { Directory } from '../linux/directory.ts'
import { LowerDirectory } from './lower-directory.ts'
import type { PathString } from './path-bytes.ts'
import { type FileStatus, isCharacterDevice } from '../linux/file-status.ts'
import { isOpaque } from './overlay-features.ts'

/** One thing in a tree: the directory that has it, its name there, its status. */
export interface Found {
  readonly directory: Directory
  readonly name: PathString
  readonly status: FileStatus
}

/**
 * One directory of what a layer stands on: of its parent's tree, or of overlay's
 * lowers, several of which show as one, with their whiteouts and opaque directories.
 */
export class LowerView {
  readonly #isOverlay: boolean
  /** Those that were needed so far; most questions are answered by the nearest. */
  readonly #directories: LowerDirectory[] = []
  readonly #further: Iterator<Directory, void>

  private constructor(further: Iterator<Directory, void>, isOverlay: boolean) {
    this.#further = further
    this.#isOverlay = isOverlay
  }

  static ofTree(parent: Directory): LowerView {
    return new LowerView([parent].values(), false)
  }

  /** @param lowers Nearest first. */
  static ofLowers(lowers: readonly Directory[]): LowerView {
    return new LowerView(untilOpaque(lowers.values()), true)
  }

  find(name: PathString): Found | undefined {
    for (const lower of this.#nearestFirst()) {
      const status = lower.status(name)
      if (status === undefined) continue
      if (this.#isOverlay && isWhiteout(status)) return undefined
      return { directory: lower.directory, name, status }
    }
    return undefined
  }

  /** The subdirectory `name`; `undefined` if it is absent or anything else. */
  child(name: PathString): LowerView | undefined {
    const children = this.#children(name)
    const view = new LowerView(
      this.#isOverlay ? untilOpaque(children) : children,
      this.#isOverlay,
    )
    return view.#openNext() === undefined ? undefined : view
  }

  /** The names it shows, in byte order. */
  names(): PathString[] {
    const hidden = new Set<PathString>()
    const names = new Set<PathString>()
    for (const lower of this.#nearestFirst()) {
      for (const [name, type] of lower.entries()) {
        if (hidden.has(name) || names.has(name)) continue
        const isHidden = this.#isOverlay && hides(lower, name, type)
        if (isHidden) hidden.add(name)
        else names.add(name)
      }
    }
    return [...names].toSorted()
  }

  close(): void {
    for (const { directory } of this.#directories) directory.close()
  }

  *#children(name: PathString): Generator<Directory, void> {
    for (const lower of this.#nearestFirst()) {
      const child = lower.directory.child(name)
      if (child !== undefined) yield child
      // A file or a whiteout hides what is below it; what is absent does not.
      else if (lower.status(name) !== undefined) return
    }
  }

  *#nearestFirst(): Generator<LowerDirectory, void> {
    for (let index = 0; ; index++) {
      const directory = this.#directories[index] ?? this.#openNext()
      if (directory === undefined) return
      yield directory
    }
  }

  #openNext(): LowerDirectory | undefined {
    const next = this.#further.next()
    if (next.done === true) return undefined
    // Lowers are other layers' uppers, and those are sealed.
    const lower = new LowerDirectory(next.value, this.#isOverlay)
    this.#directories.push(lower)
    return lower
  }
}

/** Of those that continue each other, nearest first, the ones that show. */
function* untilOpaque(
  directories: Iterable<Directory>,
): Generator<Directory, void> {
  for (const directory of directories) {
    yield directory
    if (isOpaque(directory)) return
  }
}

/** Whether a status is that of the device which overlay marks a deletion with. */
export function isWhiteout(status: FileStatus): boolean {
  return (
    isCharacterDevice(status) &&
    status.deviceMajor === 0 &&
    status.deviceMinor === 0
  )
}

function hides(lower: LowerDirectory, name: PathString, type: number): boolean {
  if (type !== constants.S_IFCHR) return false
  const status = lower.status(name)
  return status !== undefined && isWhiteout(status)
}
