/**
 * Images as named, sealed layers on any graph driver.
 *
 * @module stowage/image
 */
export { CachedImageStore } from '../image/cached-image-store.ts'
export {
  type BranchEnd,
  type DeletedBranch,
  deleteBranch,
} from '../image/delete-branch.ts'
export {
  DamagedImageError,
  DigestMismatchError,
  ImageInUseError,
  ImageNotFoundError,
  ImageStoreExistsError,
  ImageStoreInUseError,
  ImageStoreNotFoundError,
} from '../image/image-errors.ts'
export { type ImagePartOptions, images } from '../image/image-part.ts'
export type {
  ImageDraft,
  ImageListing,
  ImageProblem,
  ImageStore,
  WriteOptions,
} from '../image/image-store.ts'
export type { DeleteStoreOptions, ImageStorer } from '../image/image-storer.ts'
export {
  type Image,
  type ImageFacts,
  type Metadata,
  SCRATCH,
} from '../image/image.ts'
export type { LayerImageStore } from '../image/layer-image-store.ts'
export {
  type ImageStorerOptions,
  LayerImageStorer,
} from '../image/layer-image-storer.ts'
export type { WritableLayer, WritableLayers } from '../image/writable-layers.ts'
export { NameLookupCache } from '../image/name-lookup-cache.ts'
