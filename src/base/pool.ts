export interface PoolOptions<T> {
  readonly make: () => T
  readonly end: (item: T) => Promise<void>
  /** How many are lent at once, and kept while nobody needs them. */
  readonly size: number
  /** Milliseconds without anything coming back, after which one more is made. */
  readonly patience?: number
}

/**
 * Things that are dear to make, each lent for one task at a time. While all of them
 * are lent, whoever comes waits for his turn.
 *
 * Those at work may all be waiting for somebody themselves, such as a client that
 * reads no further until he who waits here is served. Hence the size is no hard
 * limit: when nothing comes back for a while, one more is made, and ends as soon as
 * it is not needed.
 */
export class Pool<T> {
  readonly #options: PoolOptions<T>
  readonly #patience: number
  readonly #idle: T[] = []
  readonly #waiting: ((item: T) => void)[] = []
  #amount = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: PoolOptions<T>) {
    this.#options = options
    this.#patience = options.patience ?? 500
  }

  async borrow(): Promise<T> {
    const item = this.#idle.pop()
    if (item !== undefined) return item
    if (this.#amount < this.#options.size) return this.#make()
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#timer ??= this.#watch()
    })
  }

  /** Takes back what was borrowed. */
  async giveBack(item: T): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const next = this.#waiting.shift()
    if (this.#waiting.length > 0) this.#timer = this.#watch()
    if (next !== undefined) {
      next(item)
    } else if (this.#amount <= this.#options.size) {
      this.#idle.push(item)
    } else {
      this.#amount -= 1
      await this.#options.end(item)
    }
  }

  /** Lends for as long as `task` takes. */
  async use<R>(task: (item: T) => Promise<R>): Promise<R> {
    const item = await this.borrow()
    try {
      return await task(item)
    } finally {
      await this.giveBack(item)
    }
  }

  #make(): T {
    this.#amount += 1
    return this.#options.make()
  }

  #watch(): NodeJS.Timeout {
    return setTimeout(() => {
      this.#waiting.shift()?.(this.#make())
      this.#timer = this.#waiting.length > 0 ? this.#watch() : undefined
    }, this.#patience)
  }
}
