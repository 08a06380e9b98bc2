import type { Readable } from 'node:stream'
import type { Change } from '../archive/changes.ts'
import type { TreeSource } from '../archive/tree-source.ts'

/** Names a layer. Drivers compare ids and build paths from them, nothing more. */
export type LayerId = string

/** The parent of a base layer. */
export const NO_PARENT = ''

/** One line of `docker info`. */
export type StatusLine = readonly [label: string, value: string]

/** What Docker says of a new layer besides its parent. */
export interface CreateOptions {
  /** SELinux label for the layer's files. */
  readonly mountLabel?: string | undefined
  /** The `--storage-opt` pairs of a container, such as `size`. */
  readonly storageOptions?: Readonly<Record<string, string>> | undefined
}

/**
 * The fewest operations that make a layered filesystem.
 *
 * A driver keeps layers. A layer records the changes made on top of its parent;
 * its mountpoint shows both as one tree. A layer starts with no changes, is
 * written through its mountpoint, and is sealed, written no more, once it is
 * another layer's parent.
 *
 * Words used by every driver:
 *
 * - *upper*: the directory that holds one layer's own changes
 * - *lowers*: the uppers beneath it, nearest first
 * - *mountpoint*: the absolute path where the merged tree appears
 *
 * {@link get} and {@link put} pair up like open and close. Calls for different
 * layers may run at once; calls for one layer take turns, and the driver sees
 * to that.
 *
 * Built-in drivers do not implement this: they are `LayerDriver`s, which describe
 * mounts, and `MountedLayers` makes a `ProtoDriver` of each. Authors outside may
 * implement it directly, and pass `describeProtoDriver`. `NaiveDiffDriver`
 * supplies what a {@link Driver} has beyond it.
 */
export interface ProtoDriver {
  /** The name of the driver's way to keep layers, such as `overlay`. */
  readonly name: string

  /**
   * Creates a layer for an image. On failure no trace of it remains. Creating a
   * layer again that nothing has touched yet succeeds, if the parent is the same:
   * Docker repeats calls whose answer it did not receive.
   *
   * @throws AlreadyExistsError when `id` is taken.
   * @throws NotFoundError when `parent` is neither {@link NO_PARENT} nor a layer.
   * @throws InvalidArgumentError for a storage option that the driver lacks.
   */
  create(id: LayerId, parent: LayerId, options?: CreateOptions): Promise<void>

  /** Creates a layer for a container, which may carry storage options. */
  createReadWrite(
    id: LayerId,
    parent: LayerId,
    options?: CreateOptions,
  ): Promise<void>

  /**
   * Mounts a layer, or joins those who already hold it, and returns its
   * mountpoint. The path depends on `id` alone, and stays valid until as many
   * calls to {@link put}.
   *
   * @throws NotFoundError when `id` is not a layer.
   */
  get(id: LayerId, mountLabel?: string): Promise<string>

  /**
   * Lets go of one {@link get}; the last one out unmounts. A put without a get
   * succeeds: Docker sends it for containers that died while it was away.
   */
  put(id: LayerId): Promise<void>

  /**
   * Deletes a layer, and lets go of whoever still holds it: BuildKit removes its
   * read-only views without a put. Deleting an absent layer succeeds, because
   * Docker repeats removals whose answer it did not receive.
   *
   * A layer that another still reads keeps its data until the last of them goes.
   */
  remove(id: LayerId): Promise<void>

  exists(id: LayerId): Promise<boolean>

  /** What the driver tells `docker info`, in display order. */
  status(): Promise<readonly StatusLine[]>

  /**
   * What `docker inspect` shows for a layer, such as `UpperDir`.
   *
   * @throws NotFoundError when `id` is not a layer.
   */
  metadata(id: LayerId): Promise<Readonly<Record<string, string>>>

  /**
   * Unmounts whatever is still mounted, whoever holds it, and waits for what goes
   * on in the background. The layers stay, and the driver works as before: Docker
   * sends this when it stops, and `Init` when it starts again.
   */
  cleanup(): Promise<void>

  /**
   * Like {@link get}, for the work of this process alone: a driver that remembers
   * its holders across a restart does not remember this one. Where it is absent,
   * {@link get} and {@link put} do.
   */
  hold?(id: LayerId): Promise<Hold>

  /**
   * Opens a place to apply the layer's one tar at, quicker than its mountpoint.
   * Where this is absent, that is the place.
   *
   * @throws NotFoundError when `id` is not a layer.
   */
  openForApply?(id: LayerId): Promise<ApplyPlace>

  /**
   * Where a layer's changes against `parent` can be read without mounting either.
   * Nothing where they cannot, and then two mounted trees are compared.
   *
   * @throws NotFoundError when either is not a layer.
   */
  changesIn?(id: LayerId, parent: LayerId): Promise<ReadableChanges | undefined>
}

/** Changes, and how to read them. */
export interface ReadableChanges {
  readonly source: TreeSource
  /** Whether somebody may be writing to the layer meanwhile. */
  readonly isWritten: boolean
}

/** Where a layer is written; what was written is there when it is disposed of. */
export interface ApplyPlace extends AsyncDisposable {
  readonly mountpoint: string
  /**
   * Says that the place is not the merged tree, but overlay's empty upper directory
   * over these, nearest first.
   */
  readonly lowers?: readonly string[]
}

/** A layer held mounted until the end of the enclosing `await using` scope. */
export interface Hold extends AsyncDisposable {
  readonly mountpoint: string
  /** Whether somebody else may be writing to the layer meanwhile. */
  readonly isWritten: boolean
}

/**
 * Everything Docker asks of a graph driver: layers, and their changes out and in
 * as a layer tar.
 */
export interface Driver extends ProtoDriver {
  /**
   * The changes of a layer against `parent` as an uncompressed layer tar; against
   * {@link NO_PARENT}, the whole tree. The layer stays mounted until the stream
   * closes. A failure midway destroys the stream: a short tar never looks whole.
   *
   * @throws NotFoundError before the first byte when either is not a layer.
   */
  diff(id: LayerId, parent: LayerId): Promise<Readable>

  /**
   * The paths that differ, parents before children. Against {@link NO_PARENT}
   * every path counts as added.
   */
  changes(id: LayerId, parent: LayerId): AsyncIterable<Change>

  /**
   * Applies a layer tar on top of what a fresh layer shows, reads `tar` to its
   * very end, and answers the bytes that the applied files hold.
   *
   * A layer whose apply failed answers nothing but {@link remove}. A layer is
   * applied to once.
   */
  applyDiff(id: LayerId, parent: LayerId, tar: Readable): Promise<number>

  /** The bytes of the files that were added or modified against `parent`. */
  diffSize(id: LayerId, parent: LayerId): Promise<number>
}
