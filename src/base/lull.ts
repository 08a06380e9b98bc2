/** So long nothing more has come when it is quiet, in milliseconds. */
const QUIET = 50

/** What waits for quiet is put off no longer than this, in milliseconds. */
const LONGEST = 1000

/**
 * Waits for a moment of quiet to begin what nobody waits for: whoever asks for many
 * things in a row should not find the processors and the disk taken by what is left
 * over of the ones before.
 */
export class Lull {
  readonly #begin: () => void
  #timer: NodeJS.Timeout | undefined
  #latest = 0

  /** @param begin Called once it is quiet, or has been put off for long enough. */
  constructor(begin: () => void) {
    this.#begin = begin
  }

  /** More has come to be done. */
  putOff(): void {
    const now = performance.now()
    if (this.#timer === undefined) {
      this.#latest = now + LONGEST
      this.#timer = setTimeout(() => this.#over(), QUIET).unref()
    } else if (now + QUIET < this.#latest) {
      this.#timer.refresh()
    }
  }

  /** Nothing is left to be begun. */
  cancel(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #over(): void {
    this.#timer = undefined
    this.#begin()
  }
}
