import { InvalidArgumentError } from '../../base/errors.ts'
import { describePath } from '../path-bytes.ts'
import { mergeEntry, type ReadEntry } from './entry-merge.ts'
import {
  type ExtendedHeader,
  longName,
  takePaxRecords,
} from './extended-header.ts'
import { mapInExtension, mapInHeader, SparseMapText } from './gnu-sparse.ts'
import { decodeHeader, type Header, isZeroBlock } from './header-decode.ts'
import { BLOCK_SIZE, Flag, paddingOf } from './header-layout.ts'
import { checkedRuns, pairs } from './sparse-records.ts'
import { NO_BYTES, type SparseRun, type TarEntry } from './tar-entry.ts'

/** Who is told what a tar holds, in its order. */
export interface TarSink {
  entry(entry: TarEntry): void
  /** Bytes of the entry and where they belong. Their memory is used again. */
  data(bytes: Buffer, position: number): void
  /** All bytes of the entry have been told. */
  end(): void
}

/** What a tar may be at most, before it is refused. */
export interface TarReaderLimits {
  readonly entries: number
  readonly headerBytes: number
}

/**
 * Reads a tar of any dialect: ustar, PAX, GNU, and what came before them. It is
 * pushed the bytes in pieces of any size, holds no more than one header of them,
 * and waits for nothing: what it reads it tells its sink at once.
 *
 * It believes nothing. Each header must have its checksum, and the tar its end.
 * Whatever follows the end is read past, as Docker does.
 */
export class TarReader {
  readonly #sink: TarSink
  readonly #limits: TarReaderLimits
  #entries = 0

  /** The block, or the body of an extended header, that is being collected. */
  #collected = NO_BYTES
  #collectedLength = 0
  #wanted = BLOCK_SIZE
  #collect: (bytes: Buffer) => void = (block) => this.#headerBlock(block)

  /** Data that is being passed on, and the padding after it. */
  #remaining = 0
  #position = 0
  #runs: readonly SparseRun[] | undefined
  #run = 0
  #padding = 0

  #extended: ExtendedHeader = {}
  /** Bytes of headers since the last entry, however many they come in. */
  #spent = 0
  #entry: TarEntry | undefined
  #sawBytes = false
  #sawZeros = false
  #isDone = false

  constructor(sink: TarSink, limits: TarReaderLimits) {
    this.#sink = sink
    this.#limits = limits
  }

  /** @throws InvalidArgumentError for what is not a tar, or exceeds a limit. */
  push(chunk: Buffer): void {
    this.#sawBytes ||= chunk.length > 0
    let at = 0
    while (at < chunk.length && !this.#isDone) {
      if (this.#remaining > 0) at = this.#pass(chunk, at)
      else if (this.#padding > 0) at = this.#skip(chunk, at)
      else at = this.#gather(chunk, at)
    }
  }

  /**
   * The bytes are over. None at all are an empty archive, which Docker sends.
   *
   * @throws InvalidArgumentError when the tar is not.
   */
  finish(): void {
    const isAtHeader =
      this.#collectedLength === 0 && this.#remaining + this.#padding === 0
    const isWhole = this.#isDone || (this.#sawZeros && isAtHeader)
    if (isWhole || !this.#sawBytes) return
    const place =
      this.#entry === undefined
        ? ''
        : ` in or after ${describePath(this.#entry.name)}`
    throw new InvalidArgumentError(`The tar ends early${place}`)
  }

  #pass(chunk: Buffer, at: number): number {
    const run = this.#runs?.[this.#run]
    const inRun =
      run === undefined
        ? this.#remaining
        : run.offset + run.length - this.#position
    const end = at + Math.min(chunk.length - at, this.#remaining, inRun)
    this.#sink.data(chunk.subarray(at, end), this.#position)
    this.#position += end - at
    this.#remaining -= end - at
    if (run !== undefined && end - at === inRun) this.#startRun(this.#run + 1)
    if (this.#remaining === 0) this.#sink.end()
    return end
  }

  #startRun(run: number): void {
    this.#run = run
    this.#position = this.#runs?.[run]?.offset ?? 0
  }

  #skip(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#padding)
    this.#padding -= end - at
    return end
  }

  /** Hands on what is wanted as soon as it is there, uncopied where it can. */
  #gather(chunk: Buffer, at: number): number {
    const missing = this.#wanted - this.#collectedLength
    if (this.#collectedLength === 0 && chunk.length - at >= missing) {
      this.#collect(chunk.subarray(at, at + missing))
      return at + missing
    }
    if (this.#collectedLength === 0) {
      this.#collected = Buffer.allocUnsafe(this.#wanted)
    }
    const end = Math.min(chunk.length, at + missing)
    chunk.copy(this.#collected, this.#collectedLength, at, end)
    this.#collectedLength += end - at
    if (this.#collectedLength === this.#wanted) {
      this.#collectedLength = 0
      this.#collect(this.#collected)
    }
    return end
  }

  #await(bytes: number, collect: (bytes: Buffer) => void): void {
    this.#wanted = bytes
    this.#collect = collect
  }

  #awaitHeader(): void {
    this.#await(BLOCK_SIZE, (block) => this.#headerBlock(block))
  }

  #headerBlock(block: Buffer): void {
    if (isZeroBlock(block)) {
      this.#isDone = this.#sawZeros
      this.#sawZeros = true
      return
    }
    if (this.#sawZeros) {
      throw new InvalidArgumentError('Not a tar: a lone block of zeros')
    }
    const header = decodeHeader(block)
    switch (header.flag) {
      case Flag.pax:
        this.#body(header, (body) => takePaxRecords(this.#extended, body))
        break
      case Flag.globalPax:
        this.#padding = header.size + paddingOf(header.size)
        break
      case Flag.gnuLongName:
        this.#body(header, (body) => {
          this.#extended.name = longName(body)
        })
        break
      case Flag.gnuLongLink:
        this.#body(header, (body) => {
          this.#extended.linkName = longName(body)
        })
        break
      case Flag.gnuSparse:
        this.#gnuSparse(header, block)
        break
      default:
        this.#start(mergeEntry(header, this.#extended))
    }
  }

  #body(header: Header, take: (body: Buffer) => void): void {
    this.#spend(header.size)
    if (header.size === 0) return
    this.#await(header.size, (body) => {
      this.#padding = paddingOf(header.size)
      this.#awaitHeader()
      take(body)
    })
  }

  #gnuSparse(header: Header, block: Buffer): void {
    const { runs, size, continues } = mapInHeader(block)
    const start = (): void => {
      this.#awaitHeader()
      const stored = this.#extended.size ?? header.size
      const read = mergeEntry(
        { ...header, flag: Flag.file },
        { ...this.#extended, size, sparse: { runs } },
      )
      this.#start({ ...read, stored })
    }
    if (!continues) {
      start()
      return
    }
    this.#await(BLOCK_SIZE, (extension) => {
      const part = mapInExtension(extension)
      runs.push(...part.runs)
      this.#spend(BLOCK_SIZE)
      if (!part.continues) start()
    })
  }

  #start(entry: ReadEntry): void {
    if (++this.#entries > this.#limits.entries) {
      throw new InvalidArgumentError(
        `The archive has more than ${this.#limits.entries} entries`,
      )
    }
    this.#extended = {}
    this.#spent = 0
    if (entry.isMapInData) this.#sparseMap(entry, entry.stored)
    else this.#tell(entry, entry.stored)
  }

  #sparseMap(entry: ReadEntry, stored: number): void {
    const text = new SparseMapText()
    let length = 0
    this.#await(BLOCK_SIZE, (block) => {
      length += BLOCK_SIZE
      this.#spend(BLOCK_SIZE)
      if (length > stored + paddingOf(stored)) throw truncatedMap(entry)
      const numbers = text.push(block)
      if (numbers === undefined) return
      this.#awaitHeader()
      this.#tell({ ...entry, sparse: pairs(numbers) }, stored - length)
    })
  }

  #tell({ entry, sparse }: ReadEntry, stored: number): void {
    this.#runs =
      sparse === undefined ? undefined : checkedRuns(sparse, entry.size, stored)
    this.#entry =
      this.#runs === undefined ? entry : { ...entry, sparse: this.#runs }
    this.#remaining = stored
    this.#padding = paddingOf(stored)
    this.#startRun(0)
    this.#sink.entry(this.#entry)
    if (stored === 0) this.#sink.end()
  }

  #spend(bytes: number): void {
    this.#spent += bytes
    if (this.#spent > this.#limits.headerBytes) {
      throw new InvalidArgumentError(
        `The archive has an entry whose headers exceed ${this.#limits.headerBytes} bytes`,
      )
    }
  }
}

function truncatedMap({ entry }: ReadEntry): Error {
  return new InvalidArgumentError(
    `Not a tar: the map of sparse file ${describePath(entry.name)} is longer than its data`,
  )
}
