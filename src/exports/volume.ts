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
  VolumeLookupCache,
} from '../volume/volume-lookup-cache.ts'
export {
  DEFAULT_STORE,
  parseVolumeOptions,
  type VolumeOptions,
} from '../volume/volume-options.ts'
export type {
  Ability,
  Refusal,
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
export type { SimpleCapabilities, SimpleStore } from '../volume/simple-store.ts'
export type { Snapshot } from '../volume/snapshot.ts'
export type { StoreSnapshots } from '../volume/store-snapshots.ts'
export type { StoreTrash } from '../volume/store-trash.ts'
export type { StoreRoom, VolumeUsage } from '../volume/volume-usage.ts'
export {
  frozenVolume,
  type Volume,
  type VolumeFacts,
} from '../volume/volume.ts'
export { wholeStore } from '../volume/whole-store.ts'
