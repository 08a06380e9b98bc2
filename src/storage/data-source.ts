import type { Readable } from 'node:stream'
import type { FilterSpec } from '../archive/filter-spec.ts'

/** How an archive is given out. */
export interface ExportOptions {
  /** Which entries, and under which names. Absent, all as they are. */
  readonly filter?: FilterSpec | undefined
  /** `false` for headers only: every size is then nothing. Files come with data otherwise. */
  readonly data?: boolean | undefined
  /** Aborted, destroys the stream. */
  readonly signal?: AbortSignal | undefined
}

/** What is known of one path without reading what it holds. */
export interface FileStat {
  /** The last component of the path, as bytes read as UTF-8. */
  readonly name: string
  readonly size: number
  /** Type and permissions as `lstat` tells them. */
  readonly mode: number
  readonly modifiedNs: bigint
  /** Where a symbolic link points, as it stands there. */
  readonly linkTarget: string | undefined
}

/**
 * One volume or image held still for reading: mounted, if it need be, from `open`
 * to {@link close}.
 *
 * It is exported once. Whoever wants another export opens another source, so that
 * each reader has a lifetime of its own; `stat` may be asked as often as one likes.
 * Nothing that is read follows a symbolic link out of the source's root.
 */
export interface DataSource extends AsyncDisposable {
  /**
   * Where the content can be seen on this machine, for comparing two sources; a
   * source that is not mounted has none.
   */
  readonly root: string | undefined

  /**
   * The content as a tar. It is cut off with an error when anything cannot be
   * read: a short tar never looks whole.
   *
   * @throws InUseError when this source was exported before, or is closed.
   * @throws InvalidArgumentError when the filter leaves the root.
   */
  export(options?: ExportOptions): Promise<Readable>

  /**
   * The file at `path`, which is relative to the root, with its parents' symbolic
   * links followed inside the root and its own not.
   *
   * @throws NotFoundError when nothing is there.
   * @throws InvalidArgumentError when `path` leaves the root.
   */
  stat(path: string): Promise<FileStat>

  /**
   * Ends what is being exported, and lets go of the element. Closing again is
   * harmless, and waits for the same end.
   */
  close(): Promise<void>
}
