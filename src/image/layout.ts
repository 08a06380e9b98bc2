import { join } from 'node:path'

/**
 * Image stores on disk, beside the driver that keeps the layers' content:
 *
 *     <root>/format                                    that this is the layout
 *     <root>/stores/<store>/store.json                 a store
 *     <root>/stores/<store>/images/<id>/image.json     an image, and the layer it is
 *     <root>/stores/<store>/writable/<id>/layer.json   a container's layer on one
 *     <root>/drafts/<layer>/                           one of these in the making
 *     <root>/removed/<layer>/                          one of these on its way out
 *     <root>/damaged/<store>-<id>-<random>/            records that could not be read
 *
 * Each is made as a draft and renamed into place, which is the moment it exists.
 * While its maker lives, the maker holds the flock of the draft's `lock`; a draft
 * that nobody has locked is what a crash left behind, and is swept together with
 * its layer in the driver. The lock stays beside the record, and means nothing
 * there.
 *
 * A layer's name in the driver is random and used once, so that an image that is
 * written again after a crash never meets what its predecessor left.
 */
export const DRAFTS = 'drafts'
export const REMOVED = 'removed'
export const DAMAGED = 'damaged'
export const STORES = 'stores'
export const IMAGES = 'images'
export const WRITABLE = 'writable'
export const STORE_RECORD = 'store.json'
export const IMAGE_RECORD = 'image.json'
export const WRITABLE_RECORD = 'layer.json'
export const LOCK = 'lock'

export const FORMAT_FILE = 'format'

/** Both are raised when something changes in a way that older programs would misread. */
export const DISK_FORMAT = { kind: 'images', edition: 1 }
export const RECORD_FORMAT = 1

export function storePath(root: string, store: string): string {
  return join(root, STORES, store)
}

export function imagePath(root: string, store: string, id: string): string {
  return join(storePath(root, store), IMAGES, id)
}

export function writablePath(root: string, store: string, id: string): string {
  return join(storePath(root, store), WRITABLE, id)
}
