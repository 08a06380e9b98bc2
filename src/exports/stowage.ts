/**
 * Serving, the contracts of stores and drivers, and errors.
 *
 * @module stowage
 */
export {
  type Plugin,
  serve,
  type ServedPlugin,
  type ServedStore,
  type ServeOptions,
} from '../serve.ts'

export {
  AlreadyExistsError,
  type ErrorKind,
  InUseError,
  InvalidArgumentError,
  isErrno,
  messageOf,
  NotFoundError,
  NotSupportedError,
  StowageError,
  UnavailableError,
} from '../base/errors.ts'
export { type Log, type LogFields, SILENT } from '../base/log.ts'

export type {
  StoreCircumstances,
  VolumeStoreSource,
} from '../volume/attached-store.ts'
export {
  type ExistsOptions,
  VolumeExistsError,
  VolumeInUseError,
  VolumeNotFoundError,
} from '../volume/volume-errors.ts'
export type { CopyOptions } from '../volume/copy-options.ts'
export { DEFAULT_STORE, type VolumeOptions } from '../volume/volume-options.ts'
export type {
  Ability,
  Refusal,
  Resized,
  ResizedVolume,
  VolumeCapabilities,
  VolumeListing,
  VolumeProblem,
  VolumeStorer,
} from '../volume/volume-storer.ts'
export type { SimpleCapabilities, SimpleStore } from '../volume/simple-store.ts'
export {
  frozenVolume,
  type Volume,
  type VolumeFacts,
} from '../volume/volume.ts'

export type { Change, ChangeKind } from '../archive/changes.ts'
export type { IdMap, IdMaps, IdRange } from '../archive/id-map.ts'
export type {
  AnyDriver,
  DriverCircumstances,
  OpenGraphDriver,
} from '../graph/author-driver.ts'
export {
  type CreateOptions,
  type Driver,
  type LayerId,
  NO_PARENT,
  type ProtoDriver,
  type StatusLine,
} from '../graph/driver.ts'
export type {
  LayerDriver,
  LayerUsage,
  ViewOptions,
} from '../graph/layer-driver.ts'
export type { MountSpec } from '../linux/mount.ts'

export type { DataSink, ImportOptions } from '../storage/data-sink.ts'
export type {
  DataSource,
  ExportOptions,
  FileStat,
} from '../storage/data-source.ts'
export type { DifferenceOptions, Exporter } from '../storage/exporter.ts'
export type { Importer } from '../storage/importer.ts'
