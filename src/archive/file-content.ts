import { readSync } from 'node:fs'
import { nextDataRange } from '../linux/data-ranges.ts'
import { closeFile } from '../linux/directory.ts'
import { type FileStatus, statusOf } from '../linux/file-status.ts'
import type { SparseRun } from './tar/tar-entry.ts'

/** A file so torn is told whole: a reader bounds the list of runs. */
const MOST_RUNS = 10_000

/**
 * What one reads of a file: neither more nor less than its size when opened. Holes
 * are read as zeros without asking the disk, or are left out.
 */
export class FileContent {
  readonly status: FileStatus
  readonly descriptor: number
  /** The runs of data, if what is between them is left out. */
  readonly runs: readonly SparseRun[] | undefined
  /** How many bytes there are to read in all. */
  readonly length: number
  #remaining: number
  /** What is left to read after the present run. */
  readonly #nextRuns: SparseRun[]
  #offset = 0
  #runEnd = 0
  /** Where the run of data on disk begins and ends that the offset is in. */
  #dataStart = 0
  #dataEnd: number

  /** @param status What the file is, where that is known already. */
  constructor(
    descriptor: number,
    {
      sparse,
      status = statusOf(descriptor),
    }: { readonly sparse: boolean; readonly status?: FileStatus | undefined },
  ) {
    this.descriptor = descriptor
    this.status = status
    const { blocks, size } = this.status
    // Fewer blocks than its size needs: somewhere it has holes.
    const hasHoles = blocks * 512 < size
    this.runs = hasHoles && sparse ? runsOf(descriptor, size) : undefined
    this.#nextRuns = [...(this.runs ?? [{ offset: 0, length: size }])]
    this.length = this.#nextRuns.reduce((sum, { length }) => sum + length, 0)
    this.#remaining = this.length
    this.#dataEnd = hasHoles ? 0 : size
  }

  get remaining(): number {
    return this.#remaining
  }

  /**
   * Fills `target` from `start` as far as a run goes, and says how far that was; 0
   * where the file has become shorter than it was.
   */
  read(target: Uint8Array, start: number): number {
    while (this.#offset === this.#runEnd) this.#startRun()
    const room = target.length - start
    const wanted = Math.min(room, this.#runEnd - this.#offset)
    if (this.#offset >= this.#dataEnd) this.#findData()
    const hole = Math.min(this.#dataStart - this.#offset, wanted)
    const length =
      hole > 0
        ? zero(target, start, hole)
        : this.#readData(target, start, wanted)
    this.#offset += length
    this.#remaining -= length
    return length
  }

  /** Whether it is another file than its status tells, or somebody wrote to it. */
  hasChanged(): boolean {
    const now = statusOf(this.descriptor)
    return (
      now.inode !== this.status.inode ||
      now.size !== this.status.size ||
      now.modifiedSeconds !== this.status.modifiedSeconds ||
      now.modifiedNanoseconds !== this.status.modifiedNanoseconds
    )
  }

  close(): void {
    closeFile(this.descriptor)
  }

  #startRun(): void {
    const run = this.#nextRuns.shift()
    if (run === undefined) throw new Error('Reading past the end of a file')
    this.#offset = run.offset
    this.#runEnd = run.offset + run.length
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

/** The data of a file, or `undefined` if it is in too many pieces. */
function runsOf(descriptor: number, size: number): SparseRun[] | undefined {
  const runs: SparseRun[] = []
  let end = 0
  while (end < size) {
    const next = nextDataRange(descriptor, end)
    if (next === undefined || next.start >= size) break
    if (runs.length === MOST_RUNS) return undefined
    end = Math.min(next.end, size)
    runs.push({ offset: next.start, length: end - next.start })
  }
  return runs
}

function zero(target: Uint8Array, start: number, length: number): number {
  target.fill(0, start, start + length)
  return length
}
