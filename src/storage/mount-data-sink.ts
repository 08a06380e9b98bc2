import type { Readable } from 'node:stream'
import { importTree } from '../archive/tree-import.ts'
import { InUseError } from '../base/errors.ts'
import { syncFilesystem } from '../linux/sync-filesystem.ts'
import type { ImportResult } from '../archive/import-result.ts'
import type { DataSink, ImportOptions } from './data-sink.ts'

/** How a tree is written. */
export interface MountDataSinkOptions {
  /** Runs once, when nothing writes to the root any more. */
  readonly letGo: () => Promise<void>
}

/** A tree that is visible at `root` and can be written, until it is closed. */
export class MountDataSink implements DataSink {
  readonly #root: string
  readonly #letGo: () => Promise<void>
  #isSpent = false
  #importing: Promise<unknown> | undefined
  #closed: Promise<void> | undefined

  constructor(root: string, { letGo }: MountDataSinkOptions) {
    this.#root = root
    this.#letGo = letGo
  }

  async import(tar: Readable, options?: ImportOptions): Promise<ImportResult> {
    if (this.#isSpent) {
      throw new InUseError(
        `"${this.#root}" was imported into by this sink already, or the sink is closed: open another`,
      )
    }
    this.#isSpent = true
    const importing = this.#write(tar, options)
    this.#importing = importing
    return importing
  }

  /** Whoever is told that it is there finds it after a power cut too. */
  async #write(tar: Readable, options?: ImportOptions): Promise<ImportResult> {
    const result = await importTree(this.#root, tar, options)
    await syncFilesystem(this.#root)
    return result
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
    await Promise.allSettled([this.#importing])
    await this.#letGo()
  }
}
