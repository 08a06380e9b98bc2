/** How a volume is copied, for a clone or for a snapshot. */
export interface CopyOptions {
  /**
   * Whether whoever writes may be kept waiting for the whole copy, where the store
   * cannot make one of a single moment otherwise. It fails after `LONGEST_PAUSE`.
   */
  readonly pause?: boolean | undefined
}

/** Milliseconds that writers are kept waiting at most. */
export const LONGEST_PAUSE = 10_000
