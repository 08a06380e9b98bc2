import { InUseError } from '../base/errors.ts'
import { type Image, SCRATCH } from './image.ts'
import type { ImageStore } from './image-store.ts'

/** Where deleting a branch came to its end, and why. */
export interface BranchEnd {
  readonly id: string
  readonly reason: 'kept' | 'in-use' | 'scratch'
}

/** What became of a branch. */
export interface DeletedBranch {
  /** What was deleted, the leaf first. */
  readonly deleted: readonly Image[]
  readonly end: BranchEnd
}

/**
 * Deletes the image `leaf`, and what it lay on as far as nothing else needs it. It
 * ends at an image that is to be kept, at one in use, or at scratch.
 *
 * @throws as `deleteImage` does when not even the leaf can be deleted.
 */
export async function deleteBranch(
  store: ImageStore,
  leaf: string,
  keep: ReadonlySet<string> = new Set(),
): Promise<DeletedBranch> {
  const deleted: Image[] = []
  let id = leaf
  for (;;) {
    if (keep.has(id)) return { deleted, end: { id, reason: 'kept' } }
    const image = await store.getImage(id)
    try {
      await store.deleteImage(id)
    } catch (error) {
      if (deleted.length === 0 || !(error instanceof InUseError)) throw error
      return { deleted, end: { id, reason: 'in-use' } }
    }
    deleted.push(image)
    id = image.parent ?? SCRATCH
    if (id === SCRATCH) return { deleted, end: { id, reason: 'scratch' } }
  }
}
