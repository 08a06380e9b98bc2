/**
 * What a graph driver is made of, and the drivers that are built in.
 *
 * @module stowage/graph
 */
export {
  type AnyDriver,
  authorDriver,
  type DriverCircumstances,
  type OpenGraphDriver,
} from '../graph/author-driver.ts'
export { BtrfsLayers, type BtrfsOptions } from '../graph/btrfs/btrfs-layers.ts'
export {
  type ApplyPlace,
  type CreateOptions,
  type Driver,
  type Hold,
  type LayerId,
  NO_PARENT,
  type ProtoDriver,
  type ReadableChanges,
  type StatusLine,
} from '../graph/driver.ts'
export { hold } from '../graph/hold.ts'
export { Home, type HomeOptions, type Owner } from '../graph/home.ts'
export type { InitParameters } from '../graph/init.ts'
export type {
  LayerDriver,
  LayerUsage,
  ViewOptions,
} from '../graph/layer-driver.ts'
export { MountedLayers } from '../graph/mounted-layers.ts'
export { NaiveDiffDriver, type NaiveDiffOptions } from '../graph/naive-diff.ts'
export { builtInDrivers } from '../graph/built-in-drivers.ts'
export {
  type DriverOptions,
  type DriverSource,
  openDriver,
  type OpenDriver,
} from '../graph/open-driver.ts'
export { OverlayLayers } from '../graph/overlay/overlay-layers.ts'
export { QueuedDriver } from '../graph/queued-driver.ts'
export type { Blank, MakeDirectory, Step } from '../graph/step.ts'
export { VfsLayers } from '../graph/vfs/vfs-layers.ts'
export { FsMagic } from '../linux/fs-magic.ts'
export { mount, type MountSpec, unmount } from '../linux/mount.ts'
export { isMountpoint, mountsBelow } from '../linux/mountinfo.ts'
export { unmountBelow } from '../linux/unmount-below.ts'
