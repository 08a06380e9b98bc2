/** How many values a follower may be behind. Then it is too slow, and is let go. */
const BACKLOG = 10_000

interface Follower<T> {
  readonly queue: T[]
  wake: () => void
  isLost: boolean
}

/** Values as they come, for whoever follows at that time. */
export class Feed<T> {
  readonly #followers = new Set<Follower<T>>()

  push(value: T): void {
    for (const follower of this.#followers) {
      if (follower.queue.length >= BACKLOG) follower.isLost = true
      else follower.queue.push(value)
      follower.wake()
    }
  }

  /**
   * What is pushed from this call on, until `signal` is aborted. It ends early for
   * one who is so slow that values would be left out.
   */
  follow(signal: AbortSignal): AsyncIterable<T> {
    const follower: Follower<T> = {
      queue: [],
      wake: () => undefined,
      isLost: false,
    }
    this.#followers.add(follower)
    const leave = (): void => {
      this.#followers.delete(follower)
      follower.wake()
    }
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    return drained(follower, signal)
  }

  get followers(): number {
    return this.#followers.size
  }
}

async function* drained<T>(
  follower: Follower<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void> {
  while (!signal.aborted && !follower.isLost) {
    const value = follower.queue.shift()
    if (value !== undefined) {
      yield value
      continue
    }
    await new Promise<void>((resolve) => {
      follower.wake = resolve
      if (signal.aborted || follower.queue.length > 0) resolve()
    })
  }
}
