import { AsyncLocalStorage } from 'node:async_hooks'

const storage = new AsyncLocalStorage<string>()

/** Runs `task`, and whatever it starts, as part of the request `id`. */
export function withRequestId<T>(id: string, task: () => T): T {
  return storage.run(id, task)
}

/** The request that the caller works for, if it works for one. */
export function currentRequestId(): string | undefined {
  return storage.getStore()
}
