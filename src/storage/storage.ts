import { addAbortSignal, type Readable } from 'node:stream'
import { withDeadline } from '../base/deadline.ts'
import { asError, NotFoundError, UnavailableError } from '../base/errors.ts'
import { type Log, SILENT } from '../base/log.ts'
import { untilClosed } from '../base/until-closed.ts'
import {
  type Configuration,
  configuration,
  type Settings,
} from './configuration.ts'
import type { ImportResult } from '../archive/import-result.ts'
import type { ImportOptions } from './data-sink.ts'
import type { DifferenceOptions } from './exporter.ts'
import { StoreRegistry } from './store-registry.ts'

/**
 * A part of storage: volumes, or images. It opens on what the configuration says,
 * registers its stores, and answers what closes it.
 */
export type Part = (storage: Storage) => Promise<AsyncDisposable>

/**
 * Storage as a whole, from `open` to `close`: the parts, the registry of their
 * stores, and all imports and exports that are under way.
 *
 * It has no state outside of itself. It can be opened and closed as often as one
 * likes, and an `open` that fails leaves nothing open.
 */
export class Storage implements AsyncDisposable {
  readonly configuration: Configuration
  readonly registry = new StoreRegistry()
  readonly #log: Log
  readonly #parts: AsyncDisposable[] = []
  readonly #running = new Set<Promise<unknown>>()
  readonly #abort = new AbortController()
  #closed: Promise<void> | undefined

  private constructor(settings: Settings, log: Log) {
    this.configuration = configuration(settings)
    this.#log = log
  }

  /**
   * Opens `parts`, in order.
   *
   * @throws InvalidArgumentError, before anything is touched, when the settings
   *   are wrong.
   */
  static async open(
    settings: Settings,
    parts: readonly Part[],
    log: Log = SILENT,
  ): Promise<Storage> {
    const storage = new Storage(settings, log)
    try {
      for (const part of parts) storage.#parts.push(await part(storage))
      return storage
    } catch (error) {
      await storage.close()
      throw error
    }
  }

  /** Unpacks `tar` into the element `id` of the store at `key`. */
  async import(
    key: string,
    id: string,
    tar: Readable,
    options: ImportOptions = {},
  ): Promise<ImportResult> {
    this.#refuseIfClosed()
    const importer = this.registry.getImporter(key)
    if (importer === undefined) throw unknown('importer', key)
    const signal = this.#endingWith(options.signal)
    const work = importer.import(id, tar, { ...options, signal })
    void this.#track(work)
    return work
  }

  /** The element `id` of the store at `key` as a tar. */
  async export(
    key: string,
    id: string,
    options: DifferenceOptions = {},
  ): Promise<Readable> {
    this.#refuseIfClosed()
    const exporter = this.registry.getExporter(key)
    if (exporter === undefined) throw unknown('exporter', key)
    const signal = this.#endingWith(options.signal)
    const opening = exporter.export(id, { ...options, signal })
    void this.#track(streamed(opening))
    return addAbortSignal(signal, await opening)
  }

  /**
   * Refuses new work, waits for running work, aborts what is not done in time, and
   * closes the parts, the last one first. Closing again waits for the same end.
   *
   * @throws the first failure, after everything else was closed all the same.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await this.#drain()
    let failure: Error | undefined
    for (const part of this.#parts.toReversed()) {
      try {
        await part[Symbol.asyncDispose]()
      } catch (error) {
        this.#log.error('Part not closed', { error })
        failure ??= asError(error)
      }
    }
    if (failure !== undefined) throw failure
  }

  async #drain(): Promise<void> {
    const { closeWithin } = this.configuration
    for (const isLast of [false, true]) {
      try {
        await withDeadline('Running work', closeWithin, this.#idle())
        return
      } catch {
        const running = this.#running.size
        if (isLast) this.#log.error('Work that does not end', { running })
        else this.#log.warn('Work aborted by closing', { running })
        this.#abort.abort()
      }
    }
  }

  #refuseIfClosed(): void {
    if (this.#closed === undefined) return
    throw new UnavailableError('Storage is closed')
  }

  #endingWith(signal: AbortSignal | undefined): AbortSignal {
    const { signal: closing } = this.#abort
    return signal === undefined ? closing : AbortSignal.any([signal, closing])
  }

  async #track(work: Promise<unknown>): Promise<void> {
    this.#running.add(work)
    try {
      await work
    } catch {
      // Whoever asked for it is told.
    } finally {
      this.#running.delete(work)
    }
  }

  async #idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
  }
}

/** Settles when the stream that `opening` answers has let go of everything. */
async function streamed(opening: Promise<Readable>): Promise<void> {
  await untilClosed(await opening)
}

function unknown(what: string, key: string): NotFoundError {
  return new NotFoundError(`No ${what} is registered for "${key}"`)
}
