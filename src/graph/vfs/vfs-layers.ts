import * as fs from 'node:fs/promises'
import type { ChangeTime } from '../../archive/difference.ts'
import type { TreeSource } from '../../archive/tree-source.ts'
import { InvalidArgumentError } from '../../base/errors.ts'
import { Thread } from '../../base/thread.ts'
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
import type { TreeCalls } from '../tree-worker.ts'
import { TREE } from './layout.ts'

const SECOND = 1_000_000_000n

/** Keeps each layer as a tree of its own, copied from its parent's. Runs anywhere. */
export class VfsLayers implements LayerDriver {
  readonly name = 'vfs'
  readonly #home: Home
  readonly #folders: LayerFolders
  readonly #thread = new Thread<TreeCalls>(
    new URL('../tree-worker.js', import.meta.url),
  )

  private constructor(home: Home, folders: LayerFolders) {
    this.#home = home
    this.#folders = folders
  }

  static async open(home: Home): Promise<VfsLayers> {
    const folders = await LayerFolders.open(home, { childrenRead: false })
    return new VfsLayers(home, folders)
  }

  async create(
    id: LayerId,
    parent: LayerId,
    { storageOptions = {} }: CreateOptions = {},
  ): Promise<void> {
    const [option] = Object.keys(storageOptions)
    if (option !== undefined) {
      throw new InvalidArgumentError(
        `Storage option "${option}" is not known to the vfs driver, which has none`,
      )
    }
    await this.#folders.create(id, parent, async (draft) => {
      const { uid, gid } = this.#home.root
      const tree = `${draft}/${TREE}`
      const outer = {
        do: 'mkdir',
        path: draft,
        mode: 0o710,
        uid: 0,
        gid,
      } as const
      if (parent === NO_PARENT) {
        return [outer, { do: 'mkdir', path: tree, mode: 0o755, uid, gid }]
      }
      await this.#home.run([outer])
      await this.#thread.call(
        'copy',
        this.#home.absolute(this.#tree(parent)),
        this.#home.absolute(tree),
      )
      return []
    })
  }

  async mounts(
    id: LayerId,
    { readonly = this.#folders.isSealed(id) }: ViewOptions = {},
  ): Promise<readonly MountSpec[]> {
    const { id: existing } = this.#folders.record(id)
    const options = readonly ? ['ro'] : []
    return [{ type: 'bind', source: this.#tree(existing), options }]
  }

  seal(id: LayerId): Promise<void> {
    return this.#folders.seal(id)
  }

  remove(id: LayerId): Promise<void> {
    return this.#folders.remove(id)
  }

  async exists(id: LayerId): Promise<boolean> {
    return this.#folders.has(id)
  }

  async usage(id: LayerId): Promise<LayerUsage> {
    const { id: existing } = this.#folders.record(id)
    const tree = this.#home.absolute(this.#tree(existing))
    return this.#thread.call('usage', tree)
  }

  async metadata(id: LayerId): Promise<Readonly<Record<string, string>>> {
    const { id: existing } = this.#folders.record(id)
    return { Path: this.#home.absolute(this.#tree(existing)) }
  }

  async status(): Promise<readonly StatusLine[]> {
    return [['Backing Filesystem', await filesystemOf(this.#home.path)]]
  }

  async changesIn(id: LayerId, parent: LayerId): Promise<TreeSource> {
    const { parent: source } = this.#folders.record(id)
    const tree = this.#home.absolute(this.#tree(id))
    if (parent === NO_PARENT) return { tree }
    this.#folders.record(parent)
    return {
      tree,
      parent: this.#home.absolute(this.#tree(parent)),
      copied: source === parent ? await this.#copied(id) : undefined,
    }
  }

  settled(): Promise<void> {
    return this.#folders.settled()
  }

  async close(): Promise<void> {
    await this.#thread.close()
    await this.#folders.close()
  }

  /** The link to the parent is made when the copy is complete. */
  async #copied(id: LayerId): Promise<ChangeTime> {
    const link = this.#home.absolute(this.#folders.parentLink(id))
    const { ctimeNs } = await fs.lstat(link, { bigint: true })
    return {
      changedSeconds: Number(ctimeNs / SECOND),
      changedNanoseconds: Number(ctimeNs % SECOND),
    }
  }

  #tree(id: LayerId): string {
    return `${this.#folders.pathOf(id)}/${TREE}`
  }
}
