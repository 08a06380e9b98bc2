/**
 * What a volume store is made of.
 *
 * @module stowage/volume
 */
export {
  type StoreCircumstances,
  type StoreState,
  type StoreStatus,
  type VolumeStoreSource,
} from '../volume/attached-store.ts'
export type { CatalogueEntry } from '../volume/store-entries.ts'
export { parseCapacity } from '../volume/capacity.ts'
export type { CopyOptions } from '../volume/copy-options.ts'
export { FolderStore, type FolderStoreOptions } from '../volume/folder-store.ts'
export { label } from '../volume/label.ts'
export type { Holders } from '../state/holds.ts'
export type { OptionChanges } from '../volume/changed-options.ts'
export type { VolumeChanges } from '../volume/volume-changes.ts'
export {
  type ExistsOptions,
  VolumeExistsError,
  VolumeInUseError,
  VolumeNotFoundError,
  VolumeStoreNotFoundError,
} from '../volume/volume-errors.ts'
export type {
  CopyingKeeping,
  KeptVolume,
  OpenKeeping,
  ResizingKeeping,
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
  Resized,
  ResizedVolume,
  VolumeCapabilities,
  VolumeListing,
  VolumeProblem,
  VolumeRepair,
  VolumeStorer,
} from '../volume/volume-storer.ts'
export type { RemoveOptions } from '../volume/volume-removal.ts'
export type {
  ShownSnapshot,
  SnapshotOptions,
  VolumeSnapshots,
} from '../volume/volume-snapshots.ts'
export {
  VolumeRecords,
  type VolumeRecordsOptions,
} from '../volume/volume-records.ts'
export type { StoreParameters } from '../volume/store-kinds.ts'
export {
  parseStoreSpecs,
  storeSource,
  type VolumeStoreSpec,
} from '../volume/volume-stores.ts'
export type { SimpleCapabilities, SimpleStore } from '../volume/simple-store.ts'
export type { Snapshot } from '../volume/snapshot.ts'
export type { StoreSnapshots } from '../volume/store-snapshots.ts'
export type {
  PutOptions,
  StoreTrash,
  TrashedVolume,
  TrashListing,
  TrashProblem,
} from '../volume/store-trash.ts'
export type {
  TrashOverview,
  TrashRef,
  TrashTrouble,
  VolumeTrash,
} from '../volume/volume-trash.ts'
export type { StoreRoom, VolumeUsage } from '../volume/volume-usage.ts'
export {
  frozenVolume,
  type Volume,
  type VolumeFacts,
} from '../volume/volume.ts'
export { wholeStore } from '../volume/whole-store.ts'
