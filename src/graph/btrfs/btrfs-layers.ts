import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import type { TreeSource } from '../../archive/tree-source.ts'
import { messageOf, NotSupportedError } from '../../base/errors.ts'
import { Thread } from '../../base/thread.ts'
import {
  discardSubvolume,
  enableQuota,
  isQuotaEnabled,
  limitSubvolume,
  subvolumeLimits,
} from '../../linux/btrfs-quota.ts'
import {
  createSubvolume,
  setReadonly,
  snapshotSubvolume,
  subvolumeHistory,
  subvolumeId,
  syncFilesystem,
} from '../../linux/btrfs.ts'
import { filesystemOf } from '../../linux/fs-magic.ts'
import type { MountSpec } from '../../linux/mount.ts'
import {
  type CreateOptions,
  type LayerId,
  NO_PARENT,
  type StatusLine,
} from '../driver.ts'
import type { Home } from '../home.ts'
import type { LayerDriver, LayerUsage, ViewOptions } from '../layer-driver.ts'
import { LayerFolders } from '../layer-folders.ts'
import type { BtrfsCalls } from './btrfs-worker.ts'
import { readLayerSize, SMALLEST_SIZE } from './layer-size.ts'
import * as layout from './layout.ts'
import { touchedDirectories } from './touched-directories.ts'

/** How layers are kept on btrfs. */
export interface BtrfsOptions {
  /** The least `size` that a container may ask for. */
  readonly smallestSize?: number | undefined
}

/** Layers as subvolumes, each a snapshot of its parent's. */
export class BtrfsLayers implements LayerDriver {
  readonly name = 'btrfs'
  readonly #home: Home
  readonly #folders: LayerFolders
  readonly #smallestSize: number
  readonly #thread = new Thread<BtrfsCalls>(
    new URL('btrfs-worker.js', import.meta.url),
  )

  private constructor(
    home: Home,
    folders: LayerFolders,
    { smallestSize = SMALLEST_SIZE }: BtrfsOptions,
  ) {
    this.#home = home
    this.#folders = folders
    this.#smallestSize = Math.max(smallestSize, SMALLEST_SIZE)
  }

  static async open(
    home: Home,
    options: BtrfsOptions = {},
  ): Promise<BtrfsLayers> {
    const filesystem = await filesystemOf(home.path)
    if (filesystem !== 'btrfs') {
      throw new NotSupportedError(
        `"${home.path}" must be on btrfs, and is on ${filesystem}`,
      )
    }
    await probe(home)
    const folders = await LayerFolders.open(home, {
      childrenRead: false,
      erase,
    })
    return new BtrfsLayers(home, folders, options)
  }

  async create(
    id: LayerId,
    parent: LayerId,
    { storageOptions = {} }: CreateOptions = {},
  ): Promise<void> {
    const size = readLayerSize(storageOptions, this.#smallestSize)
    await this.#folders.create(id, parent, async (draft) => {
      const { gid } = this.#home.root
      await this.#home.run([
        { do: 'mkdir', path: draft, mode: 0o710, uid: 0, gid },
      ])
      const tree = this.#home.absolute(join(draft, layout.TREE))
      if (parent === NO_PARENT) await this.#createBase(tree)
      else await this.#createOver(parent, tree)
      if (size !== undefined) await limit(tree, size)
      return []
    })
  }

  async mounts(
    id: LayerId,
    { readonly = this.#folders.isSealed(id) }: ViewOptions = {},
  ): Promise<readonly MountSpec[]> {
    this.#folders.record(id)
    const source = join(this.#folders.pathOf(id), layout.TREE)
    return [{ type: 'bind', source, options: readonly ? ['ro'] : [] }]
  }

  async seal(id: LayerId): Promise<void> {
    this.#folders.record(id)
    await setReadonly(this.#tree(id), true)
    await this.#folders.seal(id)
  }

  async remove(id: LayerId): Promise<void> {
    await this.#folders.remove(id)
  }

  async exists(id: LayerId): Promise<boolean> {
    return this.#folders.has(id)
  }

  /** What the filesystem wrote into the layer since it was made. */
  async usage(id: LayerId): Promise<LayerUsage> {
    const { parent } = this.#folders.record(id)
    const tree = this.#tree(id)
    await syncFilesystem(tree)
    const since =
      parent === NO_PARENT ? 0n : (await subvolumeHistory(tree)).made
    return this.#thread.call('usage', tree, since)
  }

  async metadata(id: LayerId): Promise<Readonly<Record<string, string>>> {
    this.#folders.record(id)
    const tree = this.#tree(id)
    const [subvolume, size] = await Promise.all([
      subvolumeId(tree),
      sizeOf(tree),
    ])
    return {
      Subvolume: tree,
      SubvolumeID: String(subvolume),
      Sealed: String(this.#folders.isSealed(id)),
      ...(size === undefined ? {} : { Size: String(size) }),
    }
  }

  async status(): Promise<readonly StatusLine[]> {
    const counts = await isQuotaEnabled(this.#home.path)
    return [
      ['Backing Filesystem', 'btrfs'],
      ['Quota', counts ? 'enabled' : 'disabled until a container has a size'],
      ['Smallest Size', `${this.#smallestSize} bytes`],
    ]
  }

  async changesIn(id: LayerId, parent: LayerId): Promise<TreeSource> {
    this.#folders.record(id)
    const tree = this.#tree(id)
    if (parent === NO_PARENT) return { tree }
    this.#folders.record(parent)
    const trees = { tree, parent: this.#tree(parent) }
    const touched = await touchedDirectories(trees, (descent) =>
      this.#thread.call('touched', descent),
    )
    return { ...trees, touched }
  }

  settled(): Promise<void> {
    return this.#folders.settled()
  }

  async close(): Promise<void> {
    await this.#thread.close()
    await this.#folders.close()
  }

  async #createBase(tree: string): Promise<void> {
    await createSubvolume(tree, 0o755)
    const { uid, gid } = this.#home.root
    await fs.chown(tree, uid, gid)
  }

  /** The parent is sealed first: what is written to it later would be lost. */
  async #createOver(parent: LayerId, tree: string): Promise<void> {
    await setReadonly(this.#tree(parent), true)
    await snapshotSubvolume(this.#tree(parent), tree)
  }

  #tree(id: LayerId): string {
    return this.#home.absolute(join(this.#folders.pathOf(id), layout.TREE))
  }
}

/** Tries what layers need. A user namespace may lack the right to it. */
async function probe(home: Home): Promise<void> {
  const draft = home.absolute(home.draft())
  const tree = join(draft, layout.TREE)
  await fs.mkdir(draft, { mode: 0o700 })
  try {
    await createSubvolume(tree)
    await setReadonly(tree, true)
  } catch (error) {
    throw new NotSupportedError(
      `"${home.path}" refuses subvolumes: ${messageOf(error)}`,
      { cause: error },
    )
  } finally {
    await erase(draft)
    await fs.rmdir(draft)
  }
}

/** Lets the layer add `size` bytes to what its parent has. */
async function limit(tree: string, size: number): Promise<void> {
  await enableQuota(tree)
  await limitSubvolume(tree, { exclusive: size })
}

async function sizeOf(tree: string): Promise<number | undefined> {
  if (!(await isQuotaEnabled(tree))) return undefined
  return (await subvolumeLimits(tree)).exclusive
}

/** Deletes the subvolume in the directory of a layer, whole or half made. */
function erase(directory: string): Promise<void> {
  return discardSubvolume(join(directory, layout.TREE))
}
