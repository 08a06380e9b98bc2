import type { LayerEntry } from './layer-entry.ts'
import { parentOf, type PathString } from './path-bytes.ts'
import type { TarEntry } from './tar/tar-entry.ts'

/** So many paths are remembered at most; then the lanes meet, and forget them. */
const MAX_PATHS = 50_000
/** What an entry costs, in bytes that could be written in that time. */
const ENTRY_COST = 32 * 1024
/** What a directory costs the lane that alone makes it and looks at what is below. */
const LED_COST = 64 * 1024

/**
 * Who does an entry:
 *
 * - a lane, by its number, while the others go on
 * - `all`: it is a directory, and every lane makes sure of it; of lanes that are led
 *   the first does, and the others see that it has
 * - `first`: the first lane, when all that came before is done and before anything
 *   that comes after
 */
export type Turn = number | 'all' | 'first'

/** What a plan asks of a lane, at the entry that is being planned. */
export interface LaneEyes {
  /** Waits until all that came before is done. */
  meet(): void
  /** Whether no link lies on the way to `directory`. */
  isDirect(directory: PathString): boolean
}

/**
 * Splits the entries of a layer among lanes, so that the tree comes out as if one
 * lane had done all in their order.
 *
 * Every lane makes this plan for itself, and all come to the same one: it goes by
 * the names of the entries, and asks of the tree only what no lane is changing.
 *
 * New files may be made in any order, as long as their directories are what they
 * seem. So each directory falls to a lane, and its files are that lane's. A stretch
 * of such entries ends, and the lanes meet, where a path is used as a directory that
 * the stretch made something else, or the other way round. What deletes, what
 * refers to other files and what goes through a symbolic link is done by the first
 * lane, alone.
 */
export class LanePlan {
  readonly #load: number[]
  readonly #isLed: boolean
  /** Directories of this stretch, and the lanes that have their files. */
  readonly #directories = new Map<PathString, number>()
  /** All else that this stretch made. */
  readonly #leaves = new Set<PathString>()

  /** @param isLed Whether the first lane makes all directories. */
  constructor(lanes: number, isLed = false) {
    this.#isLed = isLed
    this.#load = Array.from({ length: lanes }, () => 0)
  }

  /** Whose turn the next entry is. */
  next(entry: TarEntry, read: LayerEntry, eyes: LaneEyes): Turn {
    const isMade = read.action === 'make' && read.path !== ''
    if (!isMade || entry.type === 'hardlink') return this.#alone()
    const { path } = read
    if (this.#contradicts(path, entry.type === 'directory')) {
      this.#forget()
      eyes.meet()
    }
    const directory = parentOf(path)
    if (!this.#directories.has(directory)) {
      if (!eyes.isDirect(directory)) return this.#alone()
      this.#enlist(directory)
    }
    if (entry.type === 'directory') {
      this.#enlist(path)
      return 'all'
    }
    this.#leaves.add(path)
    const lane = this.#directories.get(directory) ?? 0
    this.#charge(lane, ENTRY_COST + entry.size)
    return lane
  }

  #alone(): Turn {
    this.#forget()
    return 'first'
  }

  #contradicts(path: PathString, isDirectory: boolean): boolean {
    const { size } = this.#leaves
    if (size + this.#directories.size > MAX_PATHS) return true
    if (isDirectory ? this.#leaves.has(path) : this.#directories.has(path)) {
      return true
    }
    const directory = parentOf(path)
    if (size === 0 || this.#directories.has(directory)) return false
    for (let at = directory; at !== ''; at = parentOf(at)) {
      if (this.#leaves.has(at)) return true
    }
    return false
  }

  /** Gives a directory to the lane that has least to do, and those above as well. */
  #enlist(directory: PathString): void {
    for (let at = directory; !this.#directories.has(at); at = parentOf(at)) {
      const lane = this.#load.indexOf(Math.min(...this.#load))
      this.#directories.set(at, lane)
      if (this.#isLed) this.#charge(0, LED_COST)
      else this.#charge(lane, ENTRY_COST)
    }
  }

  #charge(lane: number, cost: number): void {
    this.#load[lane] = (this.#load[lane] ?? 0) + cost
  }

  #forget(): void {
    this.#directories.clear()
    this.#leaves.clear()
  }
}
