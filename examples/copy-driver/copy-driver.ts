import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { AlreadyExistsError, InvalidArgumentError, NO_PARENT } from 'stowage'
import { type CreateOptions, NotFoundError, type ProtoDriver } from 'stowage'
import { copyTree, type IdMaps, removeTree, toHost } from 'stowage/archive'
import { unmountBelow } from 'stowage/graph'

/** Layers as copies: each is a directory that holds all that it shows. */
export class CopyDriver implements ProtoDriver {
  readonly name = 'copy'
  readonly #directory: string
  readonly #idMaps: IdMaps

  constructor(directory: string, { idMaps }: { idMaps: IdMaps }) {
    this.#directory = directory
    this.#idMaps = idMaps
  }

  async create(
    id: string,
    parent: string,
    { storageOptions = {} }: CreateOptions = {},
  ): Promise<void> {
    const [option] = Object.keys(storageOptions)
    if (option) throw new InvalidArgumentError(`Unknown option "${option}"`)
    if (await this.exists(id)) {
      throw new AlreadyExistsError(`Layer "${id}" already exists`)
    }
    // Made aside and renamed, so that a crash leaves a whole layer or none.
    const draft = join(this.#directory, `.new-${id}`)
    removeTree(draft)
    if (parent === NO_PARENT) await this.#makeEmpty(draft)
    else copyTree(await this.get(parent), draft)
    await fs.rename(draft, join(this.#directory, id))
  }

  readonly createReadWrite = this.create.bind(this)

  async get(id: string): Promise<string> {
    if (await this.exists(id)) return join(this.#directory, id)
    throw new NotFoundError(`Layer "${id}" does not exist`)
  }

  async put(): Promise<void> {
    // Nothing was mounted.
  }

  async remove(id: string): Promise<void> {
    // Docker binds files of the host into what it holds: they are not ours.
    await unmountBelow(join(this.#directory, id))
    removeTree(join(this.#directory, id))
  }

  async exists(id: string): Promise<boolean> {
    return (await fs.readdir(this.#directory)).includes(id)
  }

  async status(): Promise<[]> {
    return []
  }

  async metadata(id: string): Promise<Record<string, string>> {
    return { Path: await this.get(id) }
  }

  async cleanup(): Promise<void> {
    await unmountBelow(this.#directory)
  }

  async #makeEmpty(directory: string): Promise<void> {
    const { uids, gids } = this.#idMaps
    await fs.mkdir(directory, { mode: 0o755 })
    await fs.chown(directory, toHost(0, uids), toHost(0, gids))
  }
}
