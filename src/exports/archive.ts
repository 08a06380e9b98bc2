/**
 * Trees and layer tars, and the port layer that moves them.
 *
 * @module stowage/archive
 */
export type { Change, ChangeKind } from '../archive/changes.ts'
export { type Bytes, decompressed } from '../archive/compression.ts'
export { copyTree } from '../archive/copy-tree.ts'
export type { ChangeTime } from '../archive/difference.ts'
export {
  decodeFilterSpec,
  encodeFilterSpec,
  type FilterSpec,
} from '../archive/filter-spec.ts'
export {
  type IdMap,
  type IdMaps,
  type IdRange,
  NO_ID_MAPS,
  toContainer,
  toHost,
} from '../archive/id-map.ts'
export type { ImportResult, SkippedEntry } from '../archive/import-result.ts'
export { joinTars, type TarMember } from '../archive/joined-tar.ts'
export { applyLayer, type ApplyOptions } from '../archive/layer-apply.ts'
export { layerChanges } from '../archive/layer-changes.ts'
export {
  type DiffOptions,
  layerDiff,
  type Omission,
} from '../archive/layer-diff.ts'
export { type ArchiveLimits, DEFAULT_LIMITS } from '../archive/limits.ts'
export { removeTree } from '../archive/remove-tree.ts'
export type {
  EntryType,
  SparseRun,
  TarEntry,
} from '../archive/tar/tar-entry.ts'
export {
  TarReader,
  type TarReaderLimits,
  type TarSink,
} from '../archive/tar/tar-reader.ts'
export type {
  ComparedTrees,
  OverlayTrees,
  TreeSource,
} from '../archive/tree-source.ts'
export { type TreeUsage, usageOf } from '../archive/tree-usage.ts'
export type { Confinement } from '../linux/confinement.ts'
export type { FileStatus } from '../linux/file-status.ts'
export {
  configuration,
  type Configuration,
  type Settings,
} from '../storage/configuration.ts'
export type { DataSink, ImportOptions } from '../storage/data-sink.ts'
export type {
  DataSource,
  ExportOptions,
  FileStat,
} from '../storage/data-source.ts'
export type { DifferenceOptions, Exporter } from '../storage/exporter.ts'
export type { Importer } from '../storage/importer.ts'
export {
  MountDataSink,
  type MountDataSinkOptions,
} from '../storage/mount-data-sink.ts'
export {
  MountDataSource,
  type MountDataSourceOptions,
} from '../storage/mount-data-source.ts'
export { ownedStream } from '../storage/owned-stream.ts'
export type { Owner, Resolver } from '../storage/resolver.ts'
export { formatRef, parseRef, type StorageRef } from '../storage/storage-ref.ts'
export { type Part, Storage } from '../storage/storage.ts'
export { StoreRegistry } from '../storage/store-registry.ts'
