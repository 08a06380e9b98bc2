import { InvalidArgumentError } from '../base/errors.ts'
import { checkDepth } from './entry-path.ts'
import type { ArchiveLimits } from './limits.ts'
import type { TarEntry } from './tar/tar-entry.ts'

/** What is left of an archive's limits while its entries go by. */
export class ArchiveBudget {
  readonly #limits: ArchiveLimits
  #totalBytes = 0

  constructor(limits: ArchiveLimits) {
    this.#limits = limits
  }

  /** @throws InvalidArgumentError when the entry is too deep, or the bytes too many. */
  count({ name, type, size, sparse }: TarEntry): void {
    checkDepth(name, this.#limits.depth)
    if (type !== 'file') return
    this.#totalBytes +=
      sparse === undefined
        ? size
        : sparse.reduce((sum, { length }) => sum + length, 0)
    if (this.#totalBytes > this.#limits.totalBytes) {
      throw new InvalidArgumentError(
        `The archive holds more than ${this.#limits.totalBytes} bytes`,
      )
    }
  }
}
