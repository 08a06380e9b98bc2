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
  readonly #directories: readonly Directory[]
  readonly #isOverlay: boolean

  private constructor(directories: readonly Directory[], isOverlay: boolean) {
    this.#directories = directories
    this.#isOverlay = isOverlay
  }

  static ofTree(parent: Directory): LowerView {
    return new LowerView([parent], false)
  }

  /** @param lowers Nearest first. */
  static ofLowers(lowers: readonly Directory[]): LowerView {
    const opaque = lowers.findIndex(isOpaque)
    const seen = opaque === -1 ? lowers : lowers.slice(0, opaque + 1)
    return new LowerView(seen, true)
  }

  find(name: PathString): Found | undefined {
    for (const directory of this.#directories) {
      const status = directory.status(name)
      if (status === undefined) continue
      if (this.#isOverlay && isWhiteout(status)) return undefined
      return { directory, name, status }
    }
    return undefined
  }

  /** The subdirectory `name`; `undefined` if it is absent or anything else. */
  child(name: PathString): LowerView | undefined {
    const found: Directory[] = []
    for (const directory of this.#directories) {
      const child = directory.child(name)
      if (child === undefined) {
        // A file or a whiteout hides what is below it; what is absent does not.
        if (directory.status(name) !== undefined) break
        continue
      }
      found.push(child)
      if (this.#isOverlay && isOpaque(child)) break
    }
    return found.length === 0
      ? undefined
      : new LowerView(found, this.#isOverlay)
  }

  /** The names it shows, in byte order. */
  names(): PathString[] {
    const hidden = new Set<PathString>()
    const names = new Set<PathString>()
    for (const directory of this.#directories) {
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
