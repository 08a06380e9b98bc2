import { NotSupportedError } from '../base/errors.ts'
import type { Directory } from '../linux/directory.ts'
import { isFile } from '../linux/file-status.ts'
import { type FileReference, getXattr, listXattrs } from '../linux/xattr.ts'
import type { Found } from './lower-view.ts'
import { OVERLAY_OPAQUE, OVERLAY_USER_OPAQUE } from './whiteout.ts'

const OPAQUE: readonly string[] = [OVERLAY_OPAQUE, OVERLAY_USER_OPAQUE]
const REDIRECT = /^(?:trusted|user)\.overlay\.redirect$/
const METACOPY = /^(?:trusted|user)\.overlay\.metacopy$/

/** Whether overlay shows nothing of what lies below `directory`. */
export function isOpaque({ descriptor }: Directory): boolean {
  // Hardly any directory has attributes: most are known by one call.
  return listXattrs(descriptor)
    .map(String)
    .some((name) => OPAQUE.includes(name) && isYes(getXattr(descriptor, name)))
}

function isYes(value: Buffer | undefined): boolean {
  return value?.toString() === 'y'
}

/**
 * Overlay may keep a renamed directory as a mere reference to its lower, and a file
 * whose metadata changed without its data. An upper directory that has such things
 * does not tell a layer's changes: the merged tree does.
 *
 * @throws NotSupportedError for a directory that has another's content.
 */
export function refuseRedirect(directory: Directory): void {
  const mark = xattrLike(REDIRECT, directory.descriptor)
  if (mark === undefined) return
  throw new NotSupportedError(
    `The directory "${directory.describe('')}" was renamed by reference (${mark}): compare the merged trees instead`,
  )
}

/** @throws NotSupportedError for a file whose data is in a lower. */
export function refuseMetacopy({ directory, name, status }: Found): void {
  if (!isFile(status) || status.size === 0) return
  const mark = xattrLike(METACOPY, directory.pathTo(name))
  if (mark === undefined) return
  throw new NotSupportedError(
    `The file "${directory.describe(name)}" has its data in a lower (${mark}): compare the merged trees instead`,
  )
}

function xattrLike(pattern: RegExp, file: FileReference): string | undefined {
  return listXattrs(file)
    .map(String)
    .find((name) => pattern.test(name))
}
