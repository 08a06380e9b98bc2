import { readSync } from 'node:fs'
import { nextDataRange } from '../linux/data-ranges.ts'
import { closeFile } from '../linux/directory.ts'
import { type FileStatus, statusOf } from '../linux/file-status.ts'

/** What one reads of a file: neither more nor less than its size when opened. */
export class FileContent {
  readonly status: FileStatus
  readonly descriptor: number
  #offset = 0
  /** Where the run of data ends that the offset is in, and the next one begins. */
  #dataEnd: number
  #dataStart = 0

  constructor(descriptor: number) {
    this.descriptor = descriptor
    this.status = statusOf(descriptor)
    // Fewer blocks than its size needs: somewhere it has holes.
    const hasHoles = this.status.blocks * 512 < this.status.size
    this.#dataEnd = hasHoles ? 0 : this.status.size
  }

  get remaining(): number {
    return this.status.size - this.#offset
  }

  /**
   * Fills `target` from `start` as far as the file goes, and says how far that was;
   * 0 where the file has become shorter than it was.
   */
  read(target: Uint8Array, start: number): number {
    const wanted = Math.min(target.length - start, this.remaining)
    if (this.#offset >= this.#dataEnd) this.#findData()
    const hole = Math.min(this.#dataStart - this.#offset, wanted)
    const length =
      hole > 0
        ? zero(target, start, hole)
        : this.#readData(target, start, wanted)
    this.#offset += length
    return length
  }

  /** Whether somebody wrote to it since it was opened. */
  hasChanged(): boolean {
    const now = statusOf(this.descriptor)
    return (
      now.size !== this.status.size ||
      now.modifiedSeconds !== this.status.modifiedSeconds ||
      now.modifiedNanoseconds !== this.status.modifiedNanoseconds
    )
  }

  close(): void {
    closeFile(this.descriptor)
  }

  #readData(target: Uint8Array, start: number, wanted: number): number {
    const length = Math.min(wanted, this.#dataEnd - this.#offset)
    return readSync(this.descriptor, target, start, length, null)
  }

  #findData(): void {
    const { size } = this.status
    const next = nextDataRange(this.descriptor, this.#offset)
    this.#dataStart = Math.min(next?.start ?? size, size)
    this.#dataEnd = Math.min(next?.end ?? size, size)
  }
}

function zero(target: Uint8Array, start: number, length: number): number {
  target.fill(0, start, start + length)
  return length
}
