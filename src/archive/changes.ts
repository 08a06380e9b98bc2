/** How one path differs from the tree it is compared with. */
export type ChangeKind = 'modified' | 'added' | 'deleted'

/** One differing path. */
export interface Change {
  /** The path as bytes, from the root of the tree: `/usr/bin/env`. */
  readonly path: Buffer
  readonly kind: ChangeKind
}
