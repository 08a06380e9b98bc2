import { AsyncLocalStorage } from 'node:async_hooks'
import { randomInt } from 'node:crypto'

const storage = new AsyncLocalStorage<string>()

/** Runs `task`, and whatever it starts, as part of the request `id`. */
export function withRequestId<T>(id: string, task: () => T): T {
  return storage.run(id, task)
}

/** The request that the caller works for, if it works for one. */
export function currentRequestId(): string | undefined {
  return storage.getStore()
}

/** Ids count from a random start, so that those of two daemons rarely meet. */
let count = randomInt(2 ** 32)

/** An id for one more request. */
export function nextRequestId(): string {
  count = (count + 1) >>> 0
  return count.toString(16).padStart(8, '0')
}
