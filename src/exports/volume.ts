/** `stowage/volume`: what a volume store is made of. */
export {
  type CatalogueEntry,
  type StoreCircumstances,
  type StoreState,
  type StoreStatus,
  type VolumeStoreSource,
} from '../volume/attached-store.ts'
export { parseCapacity } from '../volume/capacity.ts'
export { FolderStore, type FolderStoreOptions } from '../volume/folder-store.ts'
export { label } from '../volume/label.ts'
export {
  VolumeExistsError,
  VolumeInUseError,
  VolumeNotFoundError,
  VolumeStoreNotFoundError,
} from '../volume/volume-errors.ts'
export type {
  KeptVolume,
  OpenKeeping,
  VolumeKeeping,
} from '../volume/volume-keeping.ts'
export {
  type CacheOptions,
  type RemoveOptions,
  VolumeLookupCache,
} from '../volume/volume-lookup-cache.ts'
export {
  DEFAULT_STORE,
  parseVolumeOptions,
  type VolumeOptions,
} from '../volume/volume-options.ts'
export type {
  Ability,
  VolumeCapabilities,
  VolumeListing,
  VolumeProblem,
  VolumeStorer,
} from '../volume/volume-storer.ts'
export {
  parseStoreSpecs,
  storeSource,
  type VolumeStoreSpec,
} from '../volume/volume-stores.ts'
export { frozenVolume, type Volume } from '../volume/volume.ts'
