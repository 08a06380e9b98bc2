declare global {
  interface Atomics {
    /** Of ES2024, and in Node since 16. */
    waitAsync(
      words: Int32Array,
      index: number,
      value: number,
    ):
      | { readonly async: true; readonly value: Promise<string> }
      | { readonly async: false }
  }
}

/**
 * Bytes on their way from a thread that produces them to one that reads them, in
 * memory that both share. The producer fills slots and waits while all are full;
 * the reader looks at them where they lie and gives them back in their order.
 *
 * Indexes of the shared words: how many slots were filled and given back since the
 * start, whether the producer is done, whether the reader wants no more, and then
 * the length of each slot.
 */
const FILLED = 0
const RETURNED = 1
const DONE = 2
const CANCELLED = 3
const LENGTHS = 4

const SLOTS = 8
const SLOT_SIZE = 256 * 1024
const HEAD = 4 * (LENGTHS + SLOTS)

/** Memory for one stream after the other. It can be sent to a thread. */
export type RingMemory = SharedArrayBuffer

export function createRing(): RingMemory {
  return new SharedArrayBuffer(HEAD + SLOTS * SLOT_SIZE)
}

/** Fills what it is given, and says how far; 0 when there is nothing left. */
export type Fill = (target: Uint8Array) => number

/** Thrown out of what is produced for nobody. */
export class RingCancelled extends Error {}

/** The producer's end. Its thread has nothing else to do, and waits as it must. */
export class RingWriter {
  readonly #words: Int32Array
  readonly #slots: readonly Buffer[]

  constructor(memory: RingMemory) {
    this.#words = wordsOf(memory)
    this.#slots = slotsOf(memory)
  }

  /** Produces until there is nothing left, or the reader has gone. */
  run(fill: Fill): void {
    for (let index = 0; ; index += 1) {
      this.#waitForRoom(index)
      const slot = index % SLOTS
      const target = this.#slots[slot]
      const length = target === undefined ? 0 : fill(target)
      if (length === 0) return
      this.#words[LENGTHS + slot] = length
      Atomics.store(this.#words, FILLED, index + 1)
      Atomics.notify(this.#words, FILLED)
    }
  }

  /** @throws RingCancelled when the reader has gone. */
  check(): void {
    if (Atomics.load(this.#words, CANCELLED) !== 0) throw new RingCancelled()
  }

  #waitForRoom(index: number): void {
    for (;;) {
      this.check()
      const returned = Atomics.load(this.#words, RETURNED)
      if (index - returned < SLOTS) return
      Atomics.wait(this.#words, RETURNED, returned)
    }
  }
}

/** The reader's end, on a thread that must not wait. */
export class RingReader {
  readonly #words: Int32Array
  readonly #slots: readonly Buffer[]
  #taken = 0

  /** Makes the memory new: the producer starts after this. */
  constructor(memory: RingMemory) {
    this.#words = wordsOf(memory)
    this.#slots = slotsOf(memory)
    this.#words.fill(0)
  }

  /** Waits for bytes to take; false at the end. */
  async ready(): Promise<boolean> {
    for (;;) {
      // In this order: what was filled before the end is read before it.
      const isDone = Atomics.load(this.#words, DONE) !== 0
      const filled = Atomics.load(this.#words, FILLED)
      if (filled > this.#taken) return true
      if (isDone) return false
      const waiting = Atomics.waitAsync(this.#words, FILLED, filled)
      if (waiting.async) await waiting.value
    }
  }

  /**
   * The next bytes, which stay as they are until they are given back; `undefined`
   * at the end. Several may be taken before the first is given back.
   */
  async take(): Promise<Buffer | undefined> {
    if (!(await this.ready())) return undefined
    const slot = this.#taken % SLOTS
    this.#taken += 1
    return this.#slots[slot]?.subarray(0, this.#words[LENGTHS + slot])
  }

  /** The oldest bytes that were taken may be overwritten. */
  giveBack(): void {
    Atomics.add(this.#words, RETURNED, 1)
    Atomics.notify(this.#words, RETURNED)
  }

  /** Nothing more will be taken. */
  cancel(): void {
    Atomics.store(this.#words, CANCELLED, 1)
    // A producer about to wait for a slot sees that something has changed.
    this.giveBack()
  }

  /** The producer has returned or failed; said here, where either is known. */
  end(): void {
    Atomics.store(this.#words, DONE, 1)
    Atomics.notify(this.#words, FILLED)
  }
}

function wordsOf(memory: RingMemory): Int32Array {
  return new Int32Array(memory, 0, LENGTHS + SLOTS)
}

function slotsOf(memory: RingMemory): Buffer[] {
  return Array.from({ length: SLOTS }, (_slot, index) =>
    Buffer.from(memory, HEAD + index * SLOT_SIZE, SLOT_SIZE),
  )
}
