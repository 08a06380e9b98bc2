import type { Readable } from 'node:stream'
import type { DataSource, ExportOptions } from './data-source.ts'

/** How an element is given out: all of it, or what it differs in. */
export interface DifferenceOptions extends ExportOptions {
  /**
   * The element to compare with. Only what was added or modified since is
   * exported, and whiteouts for what was deleted.
   */
  readonly ancestor?: string | undefined
}

/**
 * A store whose elements can be had as archives.
 *
 * The stream of `export` owns the element's source: when it ends, fails, is
 * destroyed or aborted, the source is closed before the stream says `close`.
 */
export interface Exporter {
  /**
   * The element `id` as a tar, or its difference to an ancestor. See
   * {@link DataSource.export}.
   *
   * @throws NotFoundError when `id`, or the ancestor, is no element of this store.
   * @throws NotSupportedError when the store cannot compare elements.
   */
  export(id: string, options?: DifferenceOptions): Promise<Readable>

  /** @throws NotFoundError when `id` is no element of this store. */
  openSource(id: string): Promise<DataSource>
}
