import type { TreeSource } from '../archive/tree-source.ts'
import type { MountSpec } from '../linux/mount.ts'
import type {
  ApplyPlace,
  CreateOptions,
  LayerId,
  StatusLine,
} from './driver.ts'

/** How somebody wants to see a layer. */
export interface ViewOptions {
  /** Show it for reading only, as a view of an image does. */
  readonly readonly?: boolean
}

/** What one layer holds of its own, without its parents. */
export interface LayerUsage {
  readonly bytes: number
  readonly inodes: number
}

/**
 * A way to keep layers on disk, which describes mounts and makes none.
 *
 * This is what a built-in driver implements. `MountedLayers` turns it into a
 * `ProtoDriver` that mounts the description and counts who holds it; a containerd
 * snapshotter would hand the very same description to containerd. A layer driver
 * therefore knows nothing of holds: what it describes may be mounted by somebody,
 * or by nobody, at any time.
 *
 * A layer is *fresh* when created: it shows what its parent shows. It is *sealed*
 * once it is another layer's parent, and its mounts are read-only from then on.
 * Before that it may be written, however it was created: BuildKit writes into what
 * Docker created for an image.
 *
 * Each layer is whole or absent, whenever the process dies: it is built aside
 * under `new-*` and renamed into place, and renamed to `rm-*` before its data is
 * deleted in the background. Opening a driver sweeps both.
 *
 * Calls for one layer take turns, and the caller sees to that; calls for different
 * layers run at once, also for a parent and its child.
 *
 * To add a driver: implement this in a folder of its own that begins with
 * `layout.ts`, name it in `graph/drivers.ts`, and pass `describeLayerDriver`.
 */
export interface LayerDriver {
  /** The name of this way to keep layers, such as `overlay`. */
  readonly name: string

  /**
   * Adds a layer that shows what `parent` shows, and seals `parent`.
   *
   * @throws AlreadyExistsError when `id` is taken.
   * @throws NotFoundError when `parent` is neither `NO_PARENT` nor a layer.
   * @throws InvalidArgumentError for a storage option that the driver lacks, or
   * a stack of layers that is too high.
   */
  create(id: LayerId, parent: LayerId, options?: CreateOptions): Promise<void>

  /**
   * The mounts that show the layer, to be made in this order at one place. Paths
   * that are not absolute count from Home.
   *
   * A lone writable bind need not be mounted: its source shows the same.
   *
   * @throws NotFoundError when `id` is not a layer.
   */
  mounts(id: LayerId, options?: ViewOptions): Promise<readonly MountSpec[]>

  /**
   * From now on the layer's mounts are read-only. Sealing twice is harmless, and
   * what is mounted already stays as it is.
   */
  seal(id: LayerId): Promise<void>

  /**
   * Takes the layer away in constant time; deleting the data goes on in the
   * background. An absent layer is removed without complaint. What is mounted in
   * its own directory is detached first: Docker binds files into what it holds.
   *
   * Where a child reads its parent's data, that data stays, unseen, until the
   * last such child is removed.
   */
  remove(id: LayerId): Promise<void>

  exists(id: LayerId): Promise<boolean>

  /**
   * What the layer holds of its own; as much as the whole tree where layers are
   * copies.
   *
   * @throws NotFoundError when `id` is not a layer.
   */
  usage(id: LayerId): Promise<LayerUsage>

  /**
   * What `docker inspect` shows of the layer, such as `UpperDir`.
   *
   * @throws NotFoundError when `id` is not a layer.
   */
  metadata(id: LayerId): Promise<Readonly<Record<string, string>>>

  /** What `docker info` shows of the driver, in display order. */
  status(): Promise<readonly StatusLine[]>

  /** Settles when no data of removed layers is left on disk. */
  settled(): Promise<void>

  /** Stops what runs in the background; the next `open` takes it up again. */
  close(): Promise<void>

  /**
   * Where the layer's changes against `parent` are to be read, if the driver can
   * tell without mounting. They are those that two mounted trees would show.
   *
   * @throws NotFoundError when either is not a layer.
   */
  changesIn?(id: LayerId, parent: LayerId): Promise<TreeSource | undefined>

  /**
   * Opens a place to apply the layer's tar at, for a driver that knows a quicker
   * one than its mounts, and finds it in this layer. Nobody has the layer mounted. A
   * crash before the place is disposed of leaves a layer that is only good for
   * removal.
   *
   * @param isNew Whether nobody has seen the layer since this process made it.
   * @throws NotFoundError when `id` is not a layer.
   */
  openForApply?(id: LayerId, isNew: boolean): Promise<ApplyPlace | undefined>
}
