/**
 * How much of an archive is too much. Archives are hostile until proven
 * otherwise, and each of these is something that one could use up.
 */
export interface ArchiveLimits {
  readonly entries: number
  /** Components of a path. */
  readonly depth: number
  /** Bytes of an entry's PAX header, long name or sparse map. */
  readonly headerBytes: number
  /** Bytes of all files together, as far as the archive holds them. */
  readonly totalBytes: number
}

/** Room for the largest images there are, and none for the absurd. */
export const DEFAULT_LIMITS: ArchiveLimits = {
  entries: 20_000_000,
  depth: 1024,
  headerBytes: 1024 * 1024,
  totalBytes: 16 * 1024 ** 4,
}
