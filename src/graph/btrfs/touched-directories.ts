import type { Descent } from '../../linux/btrfs-inodes.ts'
import {
  nestedSubvolumes,
  subvolumeHistory,
  syncFilesystem,
} from '../../linux/btrfs.ts'

/** Two subvolumes that are to be compared. */
export interface ComparedSubvolumes {
  readonly tree: string
  readonly parent: string
}

/**
 * The directories of `tree` that lead to something which was touched since it was
 * made of `parent`, so that all others need not be compared. `undefined` where the
 * filesystem does not vouch for the rest:
 *
 * - `tree` is a snapshot of something else, or `parent` was changed since;
 * - something is nested in `parent`: a snapshot has an empty directory in its place,
 *   and nobody touched that.
 *
 * @param search Does so, on a thread.
 */
export async function touchedDirectories(
  { tree, parent }: ComparedSubvolumes,
  search: (descent: Descent) => Promise<ReadonlySet<bigint>>,
): Promise<ReadonlySet<bigint> | undefined> {
  // What was written last is in no leaf yet.
  await syncFilesystem(tree)
  const [child, source, nested] = await Promise.all([
    subvolumeHistory(tree),
    subvolumeHistory(parent),
    nestedSubvolumes(parent),
  ])
  const isSnapshot = child.source === source.id && source.changed <= child.made
  if (!isSnapshot || nested.length > 0) return undefined
  return search({ tree, parent, since: child.made })
}
