import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import {
  AlreadyExistsError,
  type CreateOptions,
  type DriverCircumstances,
  InvalidArgumentError,
  type LayerId,
  NO_PARENT,
  NotFoundError,
  type ProtoDriver,
  type StatusLine,
} from 'stowage'
import { copyTree, removeTree, toHost } from 'stowage/archive'
import { mountsBelow, unmount } from 'stowage/graph'

/** Layers as copies: each is a directory that holds all that it shows. */
export class CopyDriver implements ProtoDriver {
  readonly name = 'copy'
  readonly #directory: string
  readonly #circumstances: DriverCircumstances

  constructor(directory: string, circumstances: DriverCircumstances) {
    this.#directory = directory
    this.#circumstances = circumstances
  }

  async create(
    id: LayerId,
    parent: LayerId,
    { storageOptions = {} }: CreateOptions = {},
  ): Promise<void> {
    const [option] = Object.keys(storageOptions)
    if (option !== undefined) {
      throw new InvalidArgumentError(`Storage option "${option}" is unknown`)
    }
    if (parent !== NO_PARENT) await this.#check(parent)
    if (await this.exists(id)) {
      throw new AlreadyExistsError(`Layer "${id}" already exists`)
    }
    // Copied aside and renamed, so that a crash leaves a whole layer or none.
    const draft = join(this.#directory, `.new-${id}`)
    removeTree(draft)
    if (parent === NO_PARENT) await this.#makeEmpty(draft)
    else copyTree(join(this.#directory, parent), draft)
    await fs.rename(draft, join(this.#directory, id))
  }

  createReadWrite(
    id: LayerId,
    parent: LayerId,
    options?: CreateOptions,
  ): Promise<void> {
    return this.create(id, parent, options)
  }

  get(id: LayerId): Promise<string> {
    return this.#check(id)
  }

  async put(): Promise<void> {
    // Nothing was mounted.
  }

  async remove(id: LayerId): Promise<void> {
    const layer = join(this.#directory, id)
    // Docker binds files of the host into what it holds: they are not ours.
    for (const point of await mountsBelow(layer)) await unmount(point)
    removeTree(layer)
  }

  async exists(id: LayerId): Promise<boolean> {
    return (await fs.readdir(this.#directory)).includes(id)
  }

  async status(): Promise<readonly StatusLine[]> {
    return [['Layers', String((await fs.readdir(this.#directory)).length)]]
  }

  async metadata(id: LayerId): Promise<Readonly<Record<string, string>>> {
    return { Path: await this.#check(id) }
  }

  async cleanup(): Promise<void> {
    for (const point of await mountsBelow(this.#directory)) await unmount(point)
  }

  /** Where the layer is. */
  async #check(id: LayerId): Promise<string> {
    if (await this.exists(id)) return join(this.#directory, id)
    throw new NotFoundError(`Layer "${id}" does not exist`)
  }

  async #makeEmpty(directory: string): Promise<void> {
    const { uids, gids } = this.#circumstances.idMaps
    await fs.mkdir(directory, { mode: 0o755 })
    await fs.chown(directory, toHost(0, uids), toHost(0, gids))
  }
}
