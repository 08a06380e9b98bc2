import { RingCutError } from './byte-ring.ts'

/** Bounds how late a lane sees that all has been given up. */
const LOOK_AROUND_MS = 50
const ALL = 0x7fffffff

/**
 * One of several threads that go through the same entries side by side, each doing
 * a part of them. An entry's number says how far a lane has come: it has done its
 * part of all entries before.
 */
export class Lane {
  readonly number: number
  readonly count: number
  readonly #progress: Int32Array
  readonly #isCut: () => boolean

  /** @param progress A word for each lane, all 0 at the start. */
  constructor(
    number: number,
    progress: SharedArrayBuffer,
    isCut: () => boolean,
  ) {
    this.number = number
    this.#progress = new Int32Array(progress)
    this.count = this.#progress.length
    this.#isCut = isCut
  }

  /** A lane that has the road to itself. */
  static alone(): Lane {
    return new Lane(0, new SharedArrayBuffer(4), () => false)
  }

  get isFirst(): boolean {
    return this.number === 0
  }

  /** Says that this lane comes to `entry`. */
  arrive(entry: number): void {
    Atomics.store(this.#progress, this.number, entry)
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

  /** Waits until `lane` has come to `entry`. @throws RingCutError */
  awaitLane(lane: number, entry: number): void {
    for (;;) {
      const progress = Atomics.load(this.#progress, lane)
      if (progress >= entry) return
      if (this.#isCut()) throw new RingCutError()
      Atomics.wait(this.#progress, lane, progress, LOOK_AROUND_MS)
    }
  }
}
