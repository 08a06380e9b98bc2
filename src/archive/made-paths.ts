import { randomInt } from 'node:crypto'
import { parentOf, type PathString } from './path-bytes.ts'

/**
 * The paths that a layer has made, and the directories on the way to them, as
 * numbers: a million take some 40 MB. Two paths may share a number once in a
 * million layers of a million files, and an archive cannot bring it about, since
 * it does not know where the counting starts.
 */
export class MadePaths {
  readonly #numbers = new Set<number>()
  readonly #seed = randomInt(2 ** 32)
  #directory: PathString | undefined

  add(path: PathString): void {
    this.#numbers.add(this.#numberOf(path))
    const directory = parentOf(path)
    if (directory === this.#directory) return
    this.#directory = directory
    for (let at = directory; at !== ''; at = parentOf(at)) {
      this.#numbers.add(this.#numberOf(at))
    }
  }

  has(path: PathString): boolean {
    return this.#numbers.has(this.#numberOf(path))
  }

  /** Two mixed halves, 53 bits of them, as many as a number has exactly. */
  #numberOf(path: PathString): number {
    let high = this.#seed | 0
    let low = ~this.#seed
    for (let i = 0; i < path.length; i++) {
      const byte = path.charCodeAt(i)
      high = Math.imul(high ^ byte, 0x85ebca77)
      low = Math.imul(low ^ byte, 0xc2b2ae3d)
      high ^= low >>> 15
      low ^= high >>> 13
    }
    return (high >>> 11) * 2 ** 32 + (low >>> 0)
  }
}
