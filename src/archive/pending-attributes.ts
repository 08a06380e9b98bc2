import type { Attributes, Born } from './node-maker.ts'
import { parentOf, type PathString } from './path-bytes.ts'

const MILLISECOND = 1_000_000n

interface Pending {
  readonly attributes: Attributes
  /** When they came, in the order of all that is told here. */
  readonly turn: number
  readonly isFromBelow: boolean
  /** What the directory has already, if that is known. */
  readonly born?: Born | undefined
}

/** Attributes of directories that wait until all else is made. */
export class PendingAttributes {
  readonly #pending = new Map<PathString, Pending>()
  /** Those of `#pending`, and all above them. */
  readonly #known = new Set<PathString>()
  readonly #replaced = new Map<PathString, number>()
  #turn = 0

  /** The archive says so of the directory at `path`. */
  describe(path: PathString, attributes: Attributes, born?: Born): void {
    this.#set(path, { attributes, born, isFromBelow: false })
  }

  /** The directory is there from below, and the archive may say nothing of it. */
  continue(path: PathString, attributes: Attributes): void {
    this.#set(path, { attributes, isFromBelow: true })
  }

  /** Something was made or deleted in a directory, which its time tells. */
  changed(path: PathString): void {
    const pending = this.#pending.get(path)
    if (pending?.isFromBelow !== true) return
    const mtime = BigInt(Date.now()) * MILLISECOND
    this.describe(path, { ...pending.attributes, mtime })
  }

  /** Something else takes the place of `path`: what was said of it is void. */
  replaced(path: PathString): void {
    if (this.#known.has(path)) this.#replaced.set(path, ++this.#turn)
  }

  /** All that still holds. */
  *entries(): Generator<
    readonly [path: PathString, wanted: Attributes, born: Born | undefined],
    void
  > {
    for (const [path, { attributes, turn, born }] of this.#pending) {
      if (!this.#wasReplaced(path, turn)) yield [path, attributes, born]
    }
  }

  #set(path: PathString, told: Omit<Pending, 'turn'>): void {
    this.#pending.set(path, { ...told, turn: ++this.#turn })
    for (let at = path; !this.#known.has(at); at = parentOf(at)) {
      this.#known.add(at)
    }
  }

  #wasReplaced(path: PathString, turn: number): boolean {
    if (this.#replaced.size === 0) return false
    for (let at = path; at !== ''; at = parentOf(at)) {
      if ((this.#replaced.get(at) ?? 0) > turn) return true
    }
    return false
  }
}
