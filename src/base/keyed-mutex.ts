/**
 * Turns, one queue for each key: tasks of one key run one after the other in the
 * order they came, tasks of different keys run side by side.
 *
 * It makes one promise for each task: while requests have ids, each that is made
 * costs about a microsecond, and every call comes through here more than once.
 */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>()

  /** Runs `task` when all earlier tasks of `key` have ended, well or badly. */
  run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    const result = before === undefined ? task() : before.then(task)
    const over = (): void => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    }
    const tail = result.then(over, over)
    this.#tails.set(key, tail)
    return result
  }

  /** Whether a task of `key` is running or waiting. */
  isBusy(key: string): boolean {
    return this.#tails.has(key)
  }
}
