import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { NotFoundError, UnavailableError } from '../base/errors.ts'
import type { GraphHost } from '../graph/host.ts'
import { type LayerFolder, readLayerFolders } from '../graph/layer-folders.ts'
import { mountsBelow } from '../linux/mountinfo.ts'

/** A layer as an administrator sees it. */
export interface LayerState extends LayerFolder {
  readonly isMounted: boolean
}

/** What one layer adds to its parent. */
export interface LayerSize {
  readonly id: string
  readonly parent: string
  readonly bytes: number
}

/** The layers in the Home that Docker named. */
export class Layers {
  readonly #host: GraphHost

  constructor(host: GraphHost) {
    this.#host = host
  }

  /** @throws UnavailableError before Docker's first Init, or where it failed. */
  get home(): string {
    const { home, driver } = this.#host
    if (home !== undefined) return home
    throw new UnavailableError(`No Home is open for layers of ${driver.name}`)
  }

  get driver(): string {
    return this.#host.driver.name
  }

  /** All layers, and those that are only kept because another reads them, by id. */
  async list(): Promise<readonly LayerState[]> {
    const { home } = this
    const mounts = new Set(await mountsBelow(join(home, 'mnt')))
    const folders = await readLayerFolders(home)
    return folders
      .map((layer) => ({
        ...layer,
        isMounted: mounts.has(join(home, 'mnt', layer.id)),
      }))
      .toSorted((one, other) => (one.id < other.id ? -1 : 1))
  }

  /** What each layer adds, one after the other, as they are counted. */
  async *sizes(signal: AbortSignal): AsyncGenerator<LayerSize, void> {
    for (const { id, parent, removed } of await this.list()) {
      if (signal.aborted) return
      if (removed) continue
      const bytes = await this.#size(id, parent)
      if (bytes !== undefined) yield { id, parent, bytes }
    }
  }

  /** What a layer changes on its parent, as Docker would be given it. */
  async export(id: string): Promise<Readable> {
    const layer = (await this.list()).find((one) => one.id === id)
    if (layer === undefined || layer.removed) {
      throw new NotFoundError(`Layer "${id}" does not exist`)
    }
    return this.#host.driver.diff(id, layer.parent)
  }

  /** Removes a layer that Docker does not name. */
  async remove(id: string): Promise<void> {
    await this.#host.driver.remove(id)
  }

  /** None for a layer that has gone meanwhile. */
  async #size(id: string, parent: string): Promise<number | undefined> {
    try {
      return await this.#host.driver.diffSize(id, parent)
    } catch (error) {
      if (error instanceof NotFoundError) return undefined
      throw error
    }
  }
}
