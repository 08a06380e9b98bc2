/** How much a volume holds, and what it costs. */
export interface VolumeUsage {
  /** Of the files' content, as its user counts: a file with several names once. */
  readonly bytes: number
  /** Files, directories and everything else that has a name. */
  readonly inodes: number
  /**
   * Taken on disk. Less than `bytes` where files have holes or are compressed, more
   * where a filesystem was made for the volume or room is reserved. What it shares
   * with its clones is counted for each of them.
   */
  readonly allocated: number
}

/** How much room a store has for all its volumes together, in bytes. */
export interface StoreRoom {
  readonly total: number
  /** What may still be written, by others too who use the same filesystem. */
  readonly free: number
}
