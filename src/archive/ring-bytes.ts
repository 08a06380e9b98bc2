import { type RingMemory, RingReader } from '../base/ring.ts'
import type { Thread } from '../base/thread.ts'
import { type TreeThread, treeThreads } from './tree-threads.ts'
import type { TreeCalls } from './tree-worker.ts'

/** Has a thread begin. */
type Start<T> = (thread: Thread<TreeCalls>, memory: RingMemory) => Promise<T>

type Outcome<T> = { readonly result: T } | { readonly error: unknown }

/**
 * The bytes that a thread produces, read where they lie: whoever holds this takes
 * them and gives them back, and disposes of it at their end or before.
 */
export class RingBytes<T> implements AsyncDisposable {
  readonly #lent: TreeThread
  readonly #reader: RingReader
  readonly #outcome: Promise<Outcome<T>>
  readonly #release: (() => Promise<void>) | undefined
  #closed: Promise<void> | undefined

  private constructor(
    lent: TreeThread,
    start: Start<T>,
    release?: () => Promise<void>,
  ) {
    this.#lent = lent
    this.#reader = new RingReader(lent.memory)
    this.#release = release
    this.#outcome = this.#run(() => start(lent.thread, lent.memory))
  }

  /**
   * Waits for a thread that is free.
   *
   * @param release Runs when the thread has let go of everything.
   */
  static async open<T>(
    start: Start<T>,
    release?: () => Promise<void>,
  ): Promise<RingBytes<T>> {
    return new RingBytes(await treeThreads.borrow(), start, release)
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
    await treeThreads.giveBack(this.#lent)
    await this.#release?.()
  }
}
