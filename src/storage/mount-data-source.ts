import { addAbortSignal, type Readable } from 'node:stream'
import { packTree } from '../archive/layer-diff.ts'
import { InUseError } from '../base/errors.ts'
import { untilClosed } from '../base/until-closed.ts'
import type { DataSource, ExportOptions, FileStat } from './data-source.ts'
import { statBelow } from './stat-below.ts'

/** How a tree is read. */
export interface MountDataSourceOptions {
  /** Runs once, when nothing reads from the root any more. */
  readonly letGo: () => Promise<void>
  /**
   * Somebody may be writing meanwhile: files that change are cut or padded to the
   * size they had. Otherwise that is an error.
   */
  readonly writable: boolean
}

/** A tree that is visible at `root`, from now until it is closed. */
export class MountDataSource implements DataSource {
  readonly root: string
  readonly #options: MountDataSourceOptions
  #isSpent = false
  #tar: Readable | undefined
  #closed: Promise<void> | undefined

  constructor(root: string, options: MountDataSourceOptions) {
    this.root = root
    this.#options = options
  }

  async export({
    filter,
    data = true,
    signal,
  }: ExportOptions = {}): Promise<Readable> {
    if (this.#isSpent) {
      throw new InUseError(
        `"${this.root}" was exported from this source already, or the source is closed: open another`,
      )
    }
    this.#isSpent = true
    const { writable } = this.#options
    const tar = await packTree(this.root, {
      filter,
      headersOnly: !data,
      writable,
      signal,
    })
    this.#tar = tar
    return signal === undefined ? tar : addAbortSignal(signal, tar)
  }

  stat(path: string): Promise<FileStat> {
    return statBelow(this.root, path)
  }

  close(): Promise<void> {
    this.#isSpent = true
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    if (this.#tar !== undefined) await untilClosed(this.#tar.destroy())
    await this.#options.letGo()
  }
}
