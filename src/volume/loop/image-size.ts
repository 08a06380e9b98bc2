import { InvalidArgumentError } from '../../base/errors.ts'
import { type ImageFilesystem, smallestImage } from './image-filesystem.ts'

/** Filesystems and devices are made of whole pages. */
const PAGE = 4096

/** The bytes of an image that has room for `capacity`. */
export function wholePages(capacity: number): number {
  return Math.ceil(capacity / PAGE) * PAGE
}

/** @throws InvalidArgumentError for less than a filesystem can be made of. */
export function refuseTooSmall(
  bytes: number,
  filesystem: ImageFilesystem,
): void {
  const smallest = smallestImage(filesystem)
  if (bytes >= smallest) return
  throw new InvalidArgumentError(
    `Capacity ${bytes} is too small: ${filesystem} needs at least ${smallest} bytes`,
  )
}
