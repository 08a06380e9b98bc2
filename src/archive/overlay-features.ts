import { NotSupportedError } from '../base/errors.ts'
import type { Directory } from '../linux/directory.ts'
import { isFile } from '../linux/file-status.ts'
import { getXattr } from '../linux/xattr.ts'
import type { Found } from './lower-view.ts'

const NAMESPACES = ['trusted.overlay.', 'user.overlay.'] as const

/**
 * Overlay may keep a renamed directory as a mere reference to its lower, and a file
 * whose metadata changed without its data. An upper directory that has such things
 * does not tell a layer's changes: the merged tree does.
 *
 * @throws NotSupportedError for a directory that has another's content.
 */
export function refuseRedirect(directory: Directory): void {
  for (const namespace of NAMESPACES) {
    const name = `${namespace}redirect`
    if (getXattr(directory.descriptor, name) !== undefined) {
      throw new NotSupportedError(
        `The directory "${directory.describe('')}" was renamed by reference (${name}): compare the merged trees instead`,
      )
    }
  }
}

/** @throws NotSupportedError for a file whose data is in a lower. */
export function refuseMetacopy({ directory, name, status }: Found): void {
  // Only a file without any data can be one, and few files have none.
  if (!isFile(status) || status.size === 0 || status.blocks > 0) return
  for (const namespace of NAMESPACES) {
    const mark = `${namespace}metacopy`
    if (getXattr(directory.pathTo(name), mark) !== undefined) {
      throw new NotSupportedError(
        `The file "${directory.describe(name)}" has its data in a lower (${mark}): compare the merged trees instead`,
      )
    }
  }
}
