import { constants } from 'node:fs'
import type { Directory } from '../linux/directory.ts'
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
  readonly #directories: Directory[] = []
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
    for (const directory of this.#nearestFirst()) {
      const status = directory.status(name)
      if (status === undefined) continue
      if (this.#isOverlay && isWhiteout(status)) return undefined
      return { directory, name, status }
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
    for (const directory of this.#nearestFirst()) {
      directory.eachEntry((name, type) => {
        if (hidden.has(name) || names.has(name)) return
        const isHidden = this.#isOverlay && hides(directory, name, type)
        if (isHidden) hidden.add(name)
        else names.add(name)
      })
    }
    return [...names].toSorted()
  }

  close(): void {
    for (const directory of this.#directories) directory.close()
  }

  *#children(name: PathString): Generator<Directory, void> {
    for (const directory of this.#nearestFirst()) {
      const child = directory.child(name)
      if (child !== undefined) yield child
      // A file or a whiteout hides what is below it; what is absent does not.
      else if (directory.status(name) !== undefined) return
    }
  }

  *#nearestFirst(): Generator<Directory, void> {
    for (let index = 0; ; index++) {
      const directory = this.#directories[index] ?? this.#openNext()
      if (directory === undefined) return
      yield directory
    }
  }

  #openNext(): Directory | undefined {
    const next = this.#further.next()
    if (next.done === true) return undefined
    this.#directories.push(next.value)
    return next.value
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

function hides(directory: Directory, name: PathString, type: number): boolean {
  if (type !== constants.S_IFCHR) return false
  const status = directory.status(name)
  return status !== undefined && isWhiteout(status)
}
