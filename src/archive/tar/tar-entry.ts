/**
 * What an entry makes. A `file` of any kind that tar has ever had (old, sparse)
 * is a file here; `hardlink` is another name for an entry that came before.
 */
export type EntryType =
  | 'file'
  | 'hardlink'
  | 'symlink'
  | 'character-device'
  | 'block-device'
  | 'directory'
  | 'fifo'

/** A run of bytes of a sparse file that the archive holds; all between is zero. */
export interface SparseRun {
  readonly offset: number
  readonly length: number
}

/**
 * One entry of a tar, whichever dialect it was written in.
 *
 * Names are bytes: Linux allows all but NUL and `/` in them, and an archive that
 * went through a string would damage those that are not UTF-8. They are as the
 * archive has them, so a reader's entry may be called `../../etc/passwd`.
 */
export interface TarEntry {
  readonly name: Buffer
  readonly type: EntryType
  /** A symlink's target, or the name of a hard link's other entry; else empty. */
  readonly linkName: Buffer
  /** Permissions with setuid, setgid and sticky; never the bits of the type. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /**
   * The length of the file. What a hard link claims is counted by Docker and
   * makes nothing; of all else it is 0.
   */
  readonly size: number
  /** Nanoseconds since 1970, negative before. */
  readonly mtime: bigint
  /** Of devices; else 0. */
  readonly devMajor: number
  readonly devMinor: number
  /** Values by full name (`user.x`), whose characters are bytes (`latin1`). */
  readonly xattrs: ReadonlyMap<string, Buffer>
  /** Where the data of a sparse file go, in order and apart. */
  readonly sparse?: readonly SparseRun[] | undefined
}

/** What nearly every entry has. */
export const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map()

export const NO_BYTES: Buffer = Buffer.alloc(0)
