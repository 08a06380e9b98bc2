import { ended } from '../base/ended.ts'
import { Lull } from '../base/lull.ts'
import type { Detached } from '../linux/mount.ts'

/** So many wait at once, each of them an open descriptor and some 5 KiB of the kernel's. */
const MOST = 512

/**
 * What is mounted nowhere any more, and whose filesystem has yet to end. At an end
 * all that is dirty on the disk beneath is written and its journal committed; of many
 * in a row the first does so for all, so they wait for each other, and for a lull.
 *
 * When the process dies, the kernel ends them.
 */
export class DetachedMounts {
  /** By the place where they were mounted. */
  readonly #waiting = new Map<string, Detached[]>()
  readonly #ending = new Map<string, Promise<unknown>>()
  readonly #lull = new Lull(() => void this.allGone())

  add(place: string, mount: Detached): void {
    const there = this.#waiting.get(place)
    if (there === undefined) this.#waiting.set(place, [mount])
    else there.push(mount)
    const [oldest] = this.#waiting.keys()
    if (this.#waiting.size >= MOST && oldest) void this.gone(oldest)
    this.#lull.putOff()
  }

  /** Ends what was mounted at `place`, and settles when nothing of it is in use. */
  async gone(place: string): Promise<void> {
    const mounts = this.#waiting.get(place)
    if (mounts !== undefined) {
      this.#waiting.delete(place)
      void this.#end(place, mounts)
    }
    await this.#ending.get(place)
  }

  /** Whether something that was mounted at `place` has yet to end. */
  has(place: string): boolean {
    return this.#waiting.has(place) || this.#ending.has(place)
  }

  /** Like `gone`, for all places where something has ended by now. */
  async allGone(): Promise<void> {
    this.#lull.cancel()
    // Those that come meanwhile have a lull of their own.
    const places = [...this.#waiting.keys()]
    for (const place of places) await this.gone(place)
    await Promise.all(this.#ending.values())
  }

  async #end(place: string, mounts: readonly Detached[]): Promise<void> {
    const ends = mounts.map((mount) => ended(mount.end()))
    const all = Promise.all([this.#ending.get(place), ...ends])
    this.#ending.set(place, all)
    await all
    if (this.#ending.get(place) === all) this.#ending.delete(place)
  }
}
