import { RingCutError } from './byte-ring.ts'

/** Bounds how late a lane sees that all has been given up. */
const LOOK_AROUND_MS = 50
const ALL = 0x7fffffff
const NOTHING = 0

/**
 * One of several threads that go through the same entries side by side, each doing
 * a part of them. An entry's number says how far a lane has come: it has done its
 * part of all entries before.
 */
export class Lane {
  static readonly SHARED_BYTES = 8

  readonly number: number
  readonly count: number
  readonly #progress: Int32Array
  /** Which entry somebody waits for a lane to come to, if any: waking him is dear. */
  readonly #awaited: Int32Array
  readonly #isCut: () => boolean

  /** @param shared `Lane.SHARED_BYTES` for each lane, all 0 at the start. */
  constructor(number: number, shared: SharedArrayBuffer, isCut: () => boolean) {
    this.number = number
    this.count = shared.byteLength / Lane.SHARED_BYTES
    this.#progress = new Int32Array(shared, 0, this.count)
    this.#awaited = new Int32Array(shared, 4 * this.count, this.count)
    this.#isCut = isCut
  }

  /** A lane that has the road to itself. */
  static alone(): Lane {
    return new Lane(0, new SharedArrayBuffer(Lane.SHARED_BYTES), () => false)
  }

  get isFirst(): boolean {
    return this.number === 0
  }

  /** Says that this lane comes to `entry`. */
  arrive(entry: number): void {
    Atomics.store(this.#progress, this.number, entry)
    const awaited = Atomics.load(this.#awaited, this.number)
    if (awaited === NOTHING || awaited > entry) return
    Atomics.store(this.#awaited, this.number, NOTHING)
    Atomics.notify(this.#progress, this.number)
  }

  /** Says that this lane has come to the end. */
  arriveAtEnd(): void {
    this.arrive(ALL)
  }

  /** Waits until every other lane has come to `entry`. @throws RingCutError */
  awaitOthers(entry: number): void {
    for (let lane = 0; lane < this.count; lane++) {
      if (lane !== this.number) this.awaitLane(lane, entry)
    }
  }

  awaitOthersAtEnd(): void {
    this.awaitOthers(ALL)
  }

  /**
   * Waits until `lane` has come to `entry`, and answers how far it is.
   *
   * @throws RingCutError
   */
  awaitLane(lane: number, entry: number): number {
    const before = Atomics.load(this.#progress, lane)
    if (before >= entry) return before
    for (;;) {
      this.#await(lane, entry)
      const progress = Atomics.load(this.#progress, lane)
      if (progress >= entry) return progress
      if (this.#isCut()) throw new RingCutError()
      Atomics.wait(this.#progress, lane, progress, LOOK_AROUND_MS)
    }
  }

  /** Of several who wait, he who waits for least counts: then all wake, and ask again. */
  #await(lane: number, entry: number): void {
    for (;;) {
      const awaited = Atomics.load(this.#awaited, lane)
      if (awaited !== NOTHING && awaited <= entry) return
      const was = Atomics.compareExchange(this.#awaited, lane, awaited, entry)
      if (was === awaited) return
    }
  }
}
