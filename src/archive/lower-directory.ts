import type { Directory } from '../linux/directory.ts'
import type { FileStatus } from '../linux/file-status.ts'
import type { PathString } from './path-bytes.ts'

/** After so many names that were not there, it is better to know all that are. */
const MISSES = 2

/** What has more in it takes longer to read than to be asked. */
const SMALL_BYTES = 4096

/** One directory of those that a {@link LowerView} shows as one. */
export class LowerDirectory {
  readonly directory: Directory
  readonly #isSealed: boolean
  #misses = 0
  /** Types by name. A directory is read once: it goes on where it was left. */
  #entries: ReadonlyMap<PathString, number> | undefined

  /** @param isSealed Whether nobody writes to it any more. */
  constructor(directory: Directory, isSealed: boolean) {
    this.directory = directory
    this.#isSealed = isSealed
  }

  /** `undefined` if there is no `name`. */
  status(name: PathString): FileStatus | undefined {
    if (this.#isSealed && this.#entries?.has(name) === false) return undefined
    const status = this.directory.status(name)
    if (status === undefined) this.#missed()
    return status
  }

  /** Its names, each with the bits of its type. */
  entries(): ReadonlyMap<PathString, number> {
    if (this.#entries !== undefined) return this.#entries
    const entries = new Map<PathString, number>()
    this.directory.eachEntry((name, type) => void entries.set(name, type))
    this.#entries = entries
    return entries
  }

  /** Whoever looks for one new file finds more: few layers change one thing. */
  #missed(): void {
    this.#misses++
    if (!this.#isSealed || this.#misses !== MISSES) return
    const size = this.directory.status('.')?.size ?? Infinity
    if (size <= SMALL_BYTES) this.entries()
  }
}
