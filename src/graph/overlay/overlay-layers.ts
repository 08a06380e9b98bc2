import * as fs from 'node:fs/promises'
import type { TreeSource } from '../../archive/tree-source.ts'
import { InvalidArgumentError } from '../../base/errors.ts'
import { Thread } from '../../base/thread.ts'
import { filesystemOf } from '../../linux/fs-magic.ts'
import type { MountSpec } from '../../linux/mount.ts'
import {
  type ApplyPlace,
  type CreateOptions,
  type LayerId,
  NO_PARENT,
  type StatusLine,
} from '../driver.ts'
import type { Home, Owner } from '../home.ts'
import type { LayerDriver, LayerUsage, ViewOptions } from '../layer-driver.ts'
import { LayerFolders } from '../layer-folders.ts'
import type { MakeDirectory, Step } from '../step.ts'
import type { TreeCalls } from '../tree-worker.ts'
import * as layout from './layout.ts'
import { Links } from './links.ts'
import { type OverlayFeatures, probeOverlay } from './overlay-features.ts'

/** Layers as directories of changes, which overlayfs shows as one tree. */
export class OverlayLayers implements LayerDriver {
  readonly name = 'overlay'
  readonly #home: Home
  readonly #folders: LayerFolders
  readonly #features: OverlayFeatures
  readonly #links: Links
  readonly #thread = new Thread<TreeCalls>(
    new URL('../tree-worker.js', import.meta.url),
  )

  private constructor(
    home: Home,
    folders: LayerFolders,
    { features, links }: { features: OverlayFeatures; links: Links },
  ) {
    this.#home = home
    this.#folders = folders
    this.#features = features
    this.#links = links
  }

  /** @throws NotSupportedError where overlayfs cannot be mounted on Home. */
  static async open(home: Home): Promise<OverlayLayers> {
    const features = await probeOverlay(home)
    const folders = await LayerFolders.open(home, {
      childrenRead: true,
      child: (draft) => blankChild(draft, home.root),
    })
    const links = await Links.open(home, folders.ids())
    return new OverlayLayers(home, folders, { features, links })
  }

  async create(
    id: LayerId,
    parent: LayerId,
    { storageOptions = {} }: CreateOptions = {},
  ): Promise<void> {
    refuseOptions(storageOptions)
    if (parent === NO_PARENT) {
      const { root } = this.#home
      await this.#folders.create(id, parent, async (draft) =>
        blankBase(draft, root),
      )
      return
    }
    this.#refuseHeight(parent)
    await this.#folders.create(id, parent, async (draft) =>
      this.#child(draft, parent),
    )
    this.#links.made(parent)
  }

  async mounts(
    id: LayerId,
    { readonly = this.#folders.isSealed(id) }: ViewOptions = {},
  ): Promise<readonly MountSpec[]> {
    const lowers = this.#lowers(id)
    const upper = this.#upper(id)
    if (lowers.length === 0) {
      return [{ type: 'bind', source: upper, options: readonly ? ['ro'] : [] }]
    }
    if (!readonly) return [this.#writable(id, lowers)]
    return [this.#overlay('ro', `lowerdir=${[upper, ...lowers].join(':')}`)]
  }

  /** The upper itself, while it is empty and the lowers are plain. */
  async openForApply(
    id: LayerId,
    isNew: boolean,
  ): Promise<ApplyPlace | undefined> {
    const mountpoint = this.#home.absolute(this.#upper(id))
    const lowers = this.#absoluteLowers(id)
    const isEmpty = isNew || (await fs.readdir(mountpoint)).length === 0
    const isPlain = this.#features.tellsChanges && isEmpty
    if (lowers.length > 0 && !isPlain) return undefined
    return { mountpoint, lowers, [Symbol.asyncDispose]: async () => undefined }
  }

  seal(id: LayerId): Promise<void> {
    return this.#folders.seal(id)
  }

  remove(id: LayerId): Promise<void> {
    return this.#folders.remove(id, (gone) => this.#links.dropping(gone))
  }

  async exists(id: LayerId): Promise<boolean> {
    return this.#folders.has(id)
  }

  async usage(id: LayerId): Promise<LayerUsage> {
    this.#folders.record(id)
    return this.#thread.call('usage', this.#home.absolute(this.#upper(id)))
  }

  async metadata(id: LayerId): Promise<Readonly<Record<string, string>>> {
    const absolute = (path: string): string => this.#home.absolute(path)
    const lowers = this.#absoluteLowers(id)
    return {
      UpperDir: absolute(this.#upper(id)),
      ...(lowers.length === 0
        ? {}
        : { LowerDir: lowers.join(':'), WorkDir: absolute(this.#work(id)) }),
    }
  }

  async status(): Promise<readonly StatusLine[]> {
    return [
      ['Backing Filesystem', await filesystemOf(this.#home.path)],
      ['Supports d_type', 'true'],
      ['Native Overlay Diff', String(this.#features.tellsChanges)],
      ['Mount Options', this.#features.options.join(',')],
    ]
  }

  /** The upper tells the changes against the layer right beneath, and no other. */
  async changesIn(
    id: LayerId,
    parent: LayerId,
  ): Promise<TreeSource | undefined> {
    const beneath = this.#folders.record(id).parent
    if (parent !== NO_PARENT) this.#folders.record(parent)
    if (parent !== beneath || !this.#features.tellsChanges) return undefined
    const upper = this.#home.absolute(this.#upper(id))
    if (parent === NO_PARENT) return { tree: upper }
    return { upper, lowers: this.#absoluteLowers(id) }
  }

  settled(): Promise<void> {
    return this.#folders.settled()
  }

  async close(): Promise<void> {
    await this.#thread.close()
    await this.#folders.close()
  }

  #writable(id: LayerId, lowers: readonly string[]): MountSpec {
    return this.#overlay(
      `lowerdir=${lowers.join(':')}`,
      `upperdir=${this.#upper(id)}`,
      `workdir=${this.#work(id)}`,
    )
  }

  #overlay(...options: readonly string[]): MountSpec {
    return {
      type: 'overlay',
      source: 'overlay',
      options: [...this.#features.options, ...options],
    }
  }

  /** The merged root is the upper's, so that begins as its parent's is. */
  #child(draft: string, parent: LayerId): readonly Step[] {
    const model = this.#upper(parent)
    return [
      { do: 'liken', path: `${draft}/${layout.UPPER}`, model },
      ...this.#links.making(parent, model),
    ]
  }

  #refuseHeight(parent: LayerId): void {
    const height = this.#folders.ancestors(parent).length + 1
    if (height <= layout.MAX_LOWERS) return
    throw new InvalidArgumentError(
      `Cannot stack a layer on "${parent}": it would have ${height} layers beneath it, of at most ${layout.MAX_LOWERS}`,
    )
  }

  /** The uppers beneath, nearest first. */
  #lowers(id: LayerId): readonly string[] {
    return this.#folders.ancestors(id).map((it) => this.#links.pathOf(it))
  }

  #absoluteLowers(id: LayerId): readonly string[] {
    const ancestors = this.#folders.ancestors(id)
    return ancestors.map((it) => this.#home.absolute(this.#upper(it)))
  }

  #upper(id: LayerId): string {
    return `${this.#folders.pathOf(id)}/${layout.UPPER}`
  }

  #work(id: LayerId): string {
    return `${this.#folders.pathOf(id)}/${layout.WORK}`
  }
}

/** What a layer with nothing beneath it is at first. */
function blankBase(
  draft: string,
  { uid, gid }: Owner,
): readonly MakeDirectory[] {
  const upper = `${draft}/${layout.UPPER}`
  return [
    { do: 'mkdir', path: draft, mode: 0o710, uid: 0, gid },
    { do: 'mkdir', path: upper, mode: 0o755, uid, gid },
  ]
}

/** What any other is at first, whatever is beneath it. */
function blankChild(draft: string, root: Owner): readonly MakeDirectory[] {
  const path = `${draft}/${layout.WORK}`
  return [
    ...blankBase(draft, root),
    { do: 'mkdir', path, mode: 0o700, ...root },
  ]
}

function refuseOptions(options: Readonly<Record<string, string>>): void {
  const [option] = Object.keys(options)
  if (option === undefined) return
  throw new InvalidArgumentError(
    `Storage option "${option}" is not known to the overlay driver, which has none`,
  )
}
