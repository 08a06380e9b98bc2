/** An entry that is not in the tree as the archive has it. */
export interface SkippedEntry {
  readonly name: string
  readonly reason: string
}

/** What became of an archive that was unpacked into a tree. */
export interface ImportResult {
  /** How many entries were made. */
  readonly entries: number
  /** The bytes of their files. */
  readonly bytes: number
  /** What could not be made here; the first thousand of it. */
  readonly skipped: readonly SkippedEntry[]
}
