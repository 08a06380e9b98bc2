import { withDeadline } from './deadline.ts'
import { UnavailableError } from './errors.ts'
import { KeyedMutex } from './keyed-mutex.ts'

/** A task's turn. */
export interface Turn {
  /** Whether the caller has been told already that it took too long. */
  readonly isLate: boolean
}

interface Task {
  /** In words that begin a sentence. */
  readonly what: string
  readonly since: number
}

/** So many times as long as its caller waits, and a task is taken to be stuck. */
const STUCK = 2

/**
 * Turns, one queue for each key, for callers that do not wait for ever: to wait
 * for one's turn counts as well. Behind a task that is stuck nobody waits.
 */
export class TimedTurns {
  readonly #deadline: number
  readonly #turns = new KeyedMutex()
  readonly #running = new Map<string, Task>()

  /** @param deadline The milliseconds that each caller waits at most. */
  constructor(deadline: number) {
    this.#deadline = deadline
  }

  /**
   * Runs `task` when its turn comes at all of `keys`, if its caller still waits by
   * then. A task that ends after its caller has gone undoes what it did: see `isLate`.
   *
   * @param what The task in words, such as `Mounting volume "db"`.
   * @throws UnavailableError when the deadline passes, and at once when the task
   *   before is stuck.
   */
  async run<T>(
    keys: readonly string[],
    what: string,
    task: (turn: Turn) => Promise<T>,
  ): Promise<T> {
    this.#refuseBehindStuck(keys, what)
    const turn = { isLate: false }
    const work = this.#inTurn(keys, async () => {
      if (turn.isLate) throw new UnavailableError(`${what} was given up`)
      return this.#watched(keys, what, () => task(turn))
    })
    try {
      return await withDeadline(what, this.#deadline, work)
    } finally {
      turn.isLate = true
    }
  }

  #refuseBehindStuck(keys: readonly string[], what: string): void {
    const now = performance.now()
    for (const key of keys) {
      const task = this.#running.get(key)
      if (task === undefined) continue
      const taken = now - task.since
      if (taken < STUCK * this.#deadline) continue
      throw new UnavailableError(
        `${what} was not begun: ${uncapitalized(task.what)} has not ended after ${Math.round(taken / 1000)} s`,
      )
    }
  }

  async #watched<T>(
    keys: readonly string[],
    what: string,
    task: () => Promise<T>,
  ): Promise<T> {
    const running = { what, since: performance.now() }
    for (const key of keys) this.#running.set(key, running)
    try {
      return await task()
    } finally {
      for (const key of keys) this.#running.delete(key)
    }
  }

  /** Like `run`, for a caller that waits for as long as it takes. */
  async runPatiently<T>(
    keys: readonly string[],
    task: () => Promise<T>,
  ): Promise<T> {
    return this.#inTurn(keys, task)
  }

  /** Keys are taken in one order by all, so that no two wait for each other. */
  async #inTurn<T>(
    keys: readonly string[],
    task: () => Promise<T>,
  ): Promise<T> {
    const [last, ...others] = [...new Set(keys)].toSorted().toReversed()
    if (last === undefined) return task()
    return this.#inTurn(others, () => this.#turns.run(last, task))
  }
}

function uncapitalized(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
