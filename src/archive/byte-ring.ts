/** Enough for the readers to have work while the writer waits for the network. */
const CAPACITY = 1024 * 1024
/** What a reader is given at once, so that the writer need not wait for long. */
const MAX_READ = 128 * 1024
/** Waking a thread costs more than reading a little: so much must be worth it. */
const WORTH_WAKING = 256 * 1024

/** Words of the control block; each reader has one more, from `FIRST_READER` on. */
const WRITTEN = 0
const STATE = 1
const WRITER_WAITS = 2
/** Change with everything that a reader, or the writer, may wait for. */
const NEWS_FOR_READERS = 3
const NEWS_FOR_WRITER = 4
const FIRST_READER = 5

const OPEN = 0
const ENDED = 1
const CUT = 2

/** Memory that one thread writes a stream of bytes to, for others to read all of it. */
export interface SharedRing {
  readonly bytes: SharedArrayBuffer
  readonly control: SharedArrayBuffer
}

export function allocateRing(readers: number): SharedRing {
  return {
    bytes: new SharedArrayBuffer(CAPACITY),
    control: new SharedArrayBuffer(4 * (FIRST_READER + readers)),
  }
}

/** The `code` of a `RingCutError`, which is all that other threads see of it. */
export const RING_CUT = 'ERR_RING_CUT'

/** Thrown where one side finds that the other has given up. */
export class RingCutError extends Error {
  readonly code = RING_CUT

  constructor() {
    super('The stream was cut')
  }
}

/** The side that writes, on a thread that must never block. */
export class RingWriter {
  /** Settles when enough is written for the readers to begin, or all there is. */
  readonly begun: Promise<void>
  readonly #bytes: Buffer
  readonly #control: Int32Array
  #begin = (): void => {}
  #written = 0
  #untold = 0

  constructor({ bytes, control }: SharedRing) {
    this.#bytes = Buffer.from(bytes)
    this.#control = new Int32Array(control).fill(0)
    this.begun = new Promise((resolve) => {
      this.#begin = resolve
    })
  }

  /** Whether all is written. */
  get isEnded(): boolean {
    return Atomics.load(this.#control, STATE) === ENDED
  }

  /**
   * Writes as much of `chunk` as there is room for, and answers how much. A ring
   * that was cut swallows everything.
   */
  writeSome(chunk: Uint8Array): number {
    if (Atomics.load(this.#control, STATE) === CUT) return chunk.length
    const length = Math.min(
      chunk.length,
      roomAfter(this.#control, this.#written),
    )
    const place = this.#written % CAPACITY
    const first = Math.min(length, CAPACITY - place)
    this.#bytes.set(chunk.subarray(0, first), place)
    this.#bytes.set(chunk.subarray(first, length), 0)
    this.#written = (this.#written + length) >>> 0
    Atomics.store(this.#control, WRITTEN, this.#written)
    this.#untold += length
    if (this.#untold >= WORTH_WAKING) this.#tellReaders()
    return length
  }

  /** Waits until there is room, or the ring is cut. */
  async room(): Promise<void> {
    for (;;) {
      const news = Atomics.load(this.#control, NEWS_FOR_WRITER)
      Atomics.store(this.#control, WRITER_WAITS, 1)
      this.#tellReaders()
      if (Atomics.load(this.#control, STATE) === CUT) return
      if (roomAfter(this.#control, this.#written) > 0) return
      const wait = Atomics.waitAsync(this.#control, NEWS_FOR_WRITER, news)
      if (wait.async) await wait.value
    }
  }

  /** All is written. */
  end(): void {
    Atomics.compareExchange(this.#control, STATE, OPEN, ENDED)
    this.#tellReaders()
  }

  /** Nothing more will come of it, for anybody. */
  cut(): void {
    cut(this.#control)
    this.#begin()
  }

  #tellReaders(): void {
    this.#begin()
    this.#untold = 0
    tell(this.#control, NEWS_FOR_READERS)
  }
}

/** A side that reads, on a thread that may block. */
export class RingReader {
  readonly #bytes: Buffer
  readonly #control: Int32Array
  readonly #word: number

  constructor({ bytes, control }: SharedRing, reader: number) {
    this.#bytes = Buffer.from(bytes)
    this.#control = new Int32Array(control)
    this.#word = FIRST_READER + reader
  }

  /**
   * The next bytes, which stay as they are until `release`, or `undefined` at the
   * end.
   *
   * @throws RingCutError when cut.
   */
  read(): Buffer | undefined {
    const position = Atomics.load(this.#control, this.#word)
    for (;;) {
      const news = Atomics.load(this.#control, NEWS_FOR_READERS)
      const state = Atomics.load(this.#control, STATE)
      const written = Atomics.load(this.#control, WRITTEN)
      if (state === CUT) throw new RingCutError()
      const length = (written - position) >>> 0
      if (length > 0) return this.#view(position, length)
      if (state === ENDED) return undefined
      Atomics.wait(this.#control, NEWS_FOR_READERS, news)
    }
  }

  /** Gives the next `length` bytes back to the writer. */
  release(length: number): void {
    const control = this.#control
    Atomics.add(control, this.#word, length)
    if (Atomics.load(control, WRITER_WAITS) === 0) return
    if (roomAfter(control, Atomics.load(control, WRITTEN)) < CAPACITY / 2)
      return
    if (Atomics.exchange(control, WRITER_WAITS, 0) === 0) return
    tell(control, NEWS_FOR_WRITER)
  }

  get isCut(): boolean {
    return Atomics.load(this.#control, STATE) === CUT
  }

  /** This side has failed, and nobody need go on. */
  cut(): void {
    cut(this.#control)
  }

  #view(position: number, length: number): Buffer {
    const place = (position >>> 0) % CAPACITY
    const end = place + Math.min(length, CAPACITY - place, MAX_READ)
    return this.#bytes.subarray(place, end)
  }
}

/** What fits behind `written` while the slowest reader is where it is. */
function roomAfter(control: Int32Array, written: number): number {
  let room = CAPACITY
  for (let word = FIRST_READER; word < control.length; word++) {
    // Counts wrap around at 32 bits; their differences do not.
    const unread = (written - Atomics.load(control, word)) >>> 0
    room = Math.min(room, CAPACITY - unread)
  }
  return room
}

function cut(control: Int32Array): void {
  Atomics.store(control, STATE, CUT)
  tell(control, NEWS_FOR_READERS)
  tell(control, NEWS_FOR_WRITER)
}

function tell(control: Int32Array, word: number): void {
  Atomics.add(control, word, 1)
  Atomics.notify(control, word)
}
