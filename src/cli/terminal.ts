import type { Writable } from 'node:stream'

/** A terminal that says nothing of its width is taken for one of these. */
const USUAL_WIDTH = 80

interface Stream extends Writable {
  readonly isTTY?: boolean
  readonly columns?: number
}

/** What the command prints to: results to one stream, everything else to the other. */
export class Terminal {
  readonly #out: Stream
  readonly #err: Stream

  constructor(out: Stream, err: Stream) {
    this.#out = out
    this.#err = err
  }

  /** Whether somebody watches: then progress is shown. */
  get isInteractive(): boolean {
    return this.#err.isTTY === true
  }

  /** Whether results go to a person, not to a file or a program. */
  get isRead(): boolean {
    return this.#out.isTTY === true
  }

  /** Columns that there are for progress. */
  get width(): number {
    return this.#err.columns || USUAL_WIDTH
  }

  /** Columns that there are for tables: any number where no person reads them. */
  get tableWidth(): number {
    return this.isRead ? this.#out.columns || USUAL_WIDTH : Infinity
  }

  get out(): Writable {
    return this.#out
  }

  print(text: string): void {
    this.#out.write(text)
  }

  complain(text: string): void {
    this.#err.write(text)
  }
}
