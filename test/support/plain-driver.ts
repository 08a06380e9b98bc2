import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { copyTree } from '../../src/archive/copy-tree.ts'
import { NotFoundError } from '../../src/base/errors.ts'
import type { LayerId, ProtoDriver } from '../../src/graph/driver.ts'

/**
 * The least that an author outside would write: each layer a copy in a directory.
 * It counts who holds what, so that a test can see that nobody does any more.
 */
export class PlainDriver implements ProtoDriver {
  readonly name = 'plain'
  readonly held = new Map<LayerId, number>()
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  async create(id: LayerId, parent: LayerId): Promise<void> {
    if (parent === '') await fs.mkdir(this.#path(id), { mode: 0o755 })
    else copyTree(this.#path(parent), this.#path(id))
  }

  createReadWrite(id: LayerId, parent: LayerId): Promise<void> {
    return this.create(id, parent)
  }

  async get(id: LayerId): Promise<string> {
    if (!(await this.exists(id))) {
      throw new NotFoundError(`Layer "${id}" does not exist`)
    }
    this.held.set(id, (this.held.get(id) ?? 0) + 1)
    return this.#path(id)
  }

  async put(id: LayerId): Promise<void> {
    const left = (this.held.get(id) ?? 0) - 1
    if (left > 0) this.held.set(id, left)
    else this.held.delete(id)
  }

  async remove(id: LayerId): Promise<void> {
    await fs.rm(this.#path(id), { recursive: true, force: true })
  }

  async exists(id: LayerId): Promise<boolean> {
    return (await fs.readdir(this.#directory)).includes(id)
  }

  async status(): Promise<[]> {
    return []
  }

  async metadata(id: LayerId): Promise<Record<string, string>> {
    return { Path: this.#path(id) }
  }

  async cleanup(): Promise<void> {
    this.held.clear()
  }

  #path(id: LayerId): string {
    return join(this.#directory, id)
  }
}
