import type { Readable } from 'node:stream'
import type { FilterSpec } from '../archive/filter-spec.ts'
import type { ImportResult } from '../archive/import-result.ts'

/** How an archive is taken in. */
export interface ImportOptions {
  /** Which entries, and under which names. Absent, all as they are. */
  readonly filter?: FilterSpec | undefined
  /** Aborted, stops after the entry at hand and rejects with an AbortError. */
  readonly signal?: AbortSignal | undefined
}

/**
 * One volume or layer held still for writing, from `open` to {@link close}.
 *
 * An archive is hostile until proven otherwise: no entry reads or writes outside
 * of the root, and what exceeds the limits of the engine is refused. An import
 * that fails has written the entries before the failure; whoever needs all or
 * nothing imports into something new, and publishes it afterwards.
 */
export interface DataSink extends AsyncDisposable {
  /**
   * Unpacks `tar`, plain or compressed by gzip or zstd, and reads it to its end.
   * An empty stream is an empty archive.
   *
   * @throws InUseError when this sink was imported into before, or is closed.
   * @throws InvalidArgumentError when `tar` is not an archive, or an entry of it
   *   would leave the root; the message names the entry.
   */
  import(tar: Readable, options?: ImportOptions): Promise<ImportResult>

  /** Lets go of the element. Closing again is harmless, and waits for the same end. */
  close(): Promise<void>
}
