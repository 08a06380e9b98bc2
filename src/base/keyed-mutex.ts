import { ended } from './ended.ts'

/**
 * Turns, one queue for each key: tasks of one key run one after the other in the
 * order they came, tasks of different keys run side by side.
 */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>()

  /** Runs `task` when all earlier tasks of `key` have ended, well or badly. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    const result = (async (): Promise<T> => {
      await before
      return task()
    })()
    const tail = ended(result)
    this.#tails.set(key, tail)
    try {
      return await result
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    }
  }

  /** Whether a task of `key` is running or waiting. */
  isBusy(key: string): boolean {
    return this.#tails.has(key)
  }
}
