import { type RingMemory, RingReader } from '../base/ring.ts'
import type { Thread } from '../base/thread.ts'
import { borrowThread, returnThread } from './tree-threads.ts'
import type { TreeCalls } from './tree-worker.ts'

type Outcome<T> = { readonly result: T } | { readonly error: unknown }

/**
 * The bytes that a thread produces, read where they lie: whoever holds this takes
 * them and gives them back, and disposes of it at their end or before.
 */
export class RingBytes<T> implements AsyncDisposable {
  readonly #lent = borrowThread()
  readonly #reader = new RingReader(this.#lent.memory)
  readonly #outcome: Promise<Outcome<T>>
  #closed: Promise<void> | undefined

  readonly #release: (() => Promise<void>) | undefined

  /**
   * @param start Has the thread begin.
   * @param release Runs when the thread has let go of everything.
   */
  constructor(
    start: (thread: Thread<TreeCalls>, memory: RingMemory) => Promise<T>,
    release?: () => Promise<void>,
  ) {
    this.#release = release
    const { thread, memory } = this.#lent
    this.#outcome = this.#run(() => start(thread, memory))
  }

  /** Waits for the first bytes, or for the end. @throws what the thread threw. */
  async ready(): Promise<void> {
    if (!(await this.#reader.ready())) await this.#result()
  }

  /** The next bytes; `undefined` at their end. @throws what the thread threw. */
  async take(): Promise<Buffer | undefined> {
    const bytes = await this.#reader.take()
    if (bytes === undefined) await this.#result()
    return bytes
  }

  /** The oldest bytes that were taken may be overwritten. */
  giveBack(): void {
    this.#reader.giveBack()
  }

  /** Settles when the thread has let go of everything that it had open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await (this.#closed ??= this.#close())
  }

  async #run(task: () => Promise<T>): Promise<Outcome<T>> {
    try {
      return { result: await task() }
    } catch (error) {
      return { error }
    } finally {
      this.#reader.end()
    }
  }

  async #result(): Promise<T> {
    const outcome = await this.#outcome
    if ('error' in outcome) throw outcome.error
    return outcome.result
  }

  async #close(): Promise<void> {
    this.#reader.cancel()
    await this.#outcome
    await returnThread(this.#lent)
    await this.#release?.()
  }
}
