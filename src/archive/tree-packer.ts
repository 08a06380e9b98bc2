import { describePath } from './path-bytes.ts'
import { paddingOf } from './tar/header-layout.ts'
import {
  encodeHeader,
  encodeSparseHeader,
  END_OF_TAR,
} from './tar/tar-writer.ts'
import type { OutgoingEntry, TreeEntries } from './tree-entries.ts'

export interface PackerOptions {
  /** A file that becomes shorter is padded, one that becomes longer is cut. */
  readonly isWritable: boolean
  /** Headers with sizes of nothing, and so without data. */
  readonly headersOnly: boolean
}

/**
 * Writes entries as a tar, piece by piece, into whatever room there is: file data
 * are read to where they go and never copied.
 */
export class TreePacker {
  readonly #entries: TreeEntries
  readonly #options: PackerOptions
  /** What is written before anything else, as far as it has not been. */
  #staged: Buffer = Buffer.alloc(0)
  #current: OutgoingEntry | undefined
  #padding = 0
  #hasEnded = false

  constructor(entries: TreeEntries, options: PackerOptions) {
    this.#entries = entries
    this.#options = options
  }

  /** Fills `target`, and says how far: less than all of it at the end only. */
  fill(target: Uint8Array): number {
    let used = 0
    while (used < target.length) {
      const length = this.#write(target, used)
      if (length === 0) break
      used += length
    }
    return used
  }

  close(): void {
    this.#finishFile()
    this.#entries.close()
  }

  /** The next piece; 0 if there is none. */
  #write(target: Uint8Array, start: number): number {
    for (;;) {
      if (this.#staged.length > 0) return this.#writeStaged(target, start)
      if (this.#current?.content !== undefined) {
        const length = this.#writeContent(target, start)
        if (length > 0) return length
      } else if (this.#padding > 0) {
        return this.#pad(target, start)
      } else if (!this.#stageNext()) {
        return 0
      }
    }
  }

  #stageNext(): boolean {
    if (this.#hasEnded) return false
    const entry = this.#entries.next()
    if (entry === undefined) {
      this.#staged = END_OF_TAR
      this.#hasEnded = true
      return true
    }
    const { header, content } = entry
    if (this.#options.headersOnly) {
      content?.close()
      this.#staged = encodeHeader({ ...header, size: 0 })
    } else {
      this.#current = entry
      this.#staged =
        content?.runs === undefined
          ? encodeHeader(header)
          : encodeSparseHeader(header, content.runs)
    }
    return true
  }

  #writeStaged(target: Uint8Array, start: number): number {
    const room = target.length - start
    const piece = this.#staged.subarray(0, room)
    target.set(piece, start)
    this.#staged = this.#staged.subarray(piece.length)
    return piece.length
  }

  #writeContent(target: Uint8Array, start: number): number {
    const { content, path } = this.#current ?? {}
    if (content === undefined) return 0
    const { remaining } = content
    const length = remaining === 0 ? 0 : content.read(target, start)
    if (length > 0) return length
    if (!this.#options.isWritable && content.hasChanged()) {
      throw new Error(
        `The file ${describePath(path ?? '')} changed while it was read`,
      )
    }
    this.#padding = remaining
    this.#finishFile()
    return 0
  }

  #pad(target: Uint8Array, start: number): number {
    const length = Math.min(this.#padding, target.length - start)
    target.fill(0, start, start + length)
    this.#padding -= length
    return length
  }

  #finishFile(): void {
    const content = this.#current?.content
    if (content === undefined) return
    this.#padding += paddingOf(content.length)
    content.close()
    this.#current = undefined
  }
}
