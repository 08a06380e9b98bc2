import type { Readable } from 'node:stream'
import type { ImportResult } from '../archive/import-result.ts'
import type { DataSink, ImportOptions } from './data-sink.ts'

/**
 * A store whose elements take archives in.
 *
 * `import` opens the element's sink, unpacks into it and closes it, whatever
 * happens; `openSink` leaves these three to the caller.
 */
export interface Importer {
  /**
   * Unpacks `tar` into the element `id`. See {@link DataSink.import}.
   *
   * @throws NotFoundError when `id` is no element of this store.
   * @throws InUseError when `id` is sealed, or must not change while it is held.
   */
  import(
    id: string,
    tar: Readable,
    options?: ImportOptions,
  ): Promise<ImportResult>

  /** @throws as {@link import} does. */
  openSink(id: string): Promise<DataSink>
}
