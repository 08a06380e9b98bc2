import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Change } from '../../src/archive/changes.ts'
import {
  AlreadyExistsError,
  InvalidArgumentError,
  NotFoundError,
} from '../../src/base/errors.ts'
import { startedStream } from '../../src/base/started-stream.ts'
import {
  type CreateOptions,
  type Driver,
  type LayerId,
  NO_PARENT,
  type StatusLine,
} from '../../src/graph/driver.ts'

interface FakeLayer {
  readonly parent: LayerId
  readonly options: CreateOptions
  tar: Buffer | undefined
  holds: number
}

/**
 * A whole graph driver that keeps its layers in memory, for tests of what stands
 * in front of it. A layer's diff is the very tar that was applied to it, and each
 * 512 bytes of it count as one added path.
 */
export class FakeDriver implements Driver {
  readonly name = 'fake'
  readonly layers = new Map<LayerId, FakeLayer>()
  /** How many streams of `diff` and `changes` are open now. */
  openStreams = 0
  /** Set, reading a layer breaks after so many bytes. */
  breakAfter = Infinity

  async create(
    id: LayerId,
    parent: LayerId,
    options: CreateOptions = {},
  ): Promise<void> {
    if (parent !== NO_PARENT) this.layer(parent)
    for (const option of Object.keys(options.storageOptions ?? {})) {
      if (option !== 'size') {
        throw new InvalidArgumentError(`Option "${option}" is not known`)
      }
    }
    const present = this.layers.get(id)
    if (present?.tar !== undefined || (present && present.parent !== parent)) {
      throw new AlreadyExistsError(`Layer "${id}" already exists`)
    }
    this.layers.set(id, { parent, options, tar: undefined, holds: 0 })
  }

  createReadWrite(
    id: LayerId,
    parent: LayerId,
    options?: CreateOptions,
  ): Promise<void> {
    return this.create(id, parent, options)
  }

  async get(id: LayerId): Promise<string> {
    this.layer(id).holds++
    return `/fake/${id}`
  }

  async put(id: LayerId): Promise<void> {
    const layer = this.layers.get(id)
    if (layer !== undefined) layer.holds = Math.max(0, layer.holds - 1)
  }

  async remove(id: LayerId): Promise<void> {
    this.layers.delete(id)
  }

  async exists(id: LayerId): Promise<boolean> {
    return this.layers.has(id)
  }

  async status(): Promise<readonly StatusLine[]> {
    return [['Layers', `${this.layers.size}`]]
  }

  async metadata(id: LayerId): Promise<Readonly<Record<string, string>>> {
    this.layer(id)
    return { Path: `/fake/${id}` }
  }

  async cleanup(): Promise<void> {
    for (const layer of this.layers.values()) layer.holds = 0
  }

  async diff(id: LayerId): Promise<Readable> {
    return startedStream(this.#read(id))
  }

  async *changes(id: LayerId): AsyncGenerator<Change, void> {
    let count = 0
    for await (const chunk of this.#read(id)) {
      for (let at = 0; at < chunk.length; at += 512) {
        yield { path: Buffer.from(`/${count++}`), kind: 'added' }
      }
    }
  }

  async applyDiff(
    id: LayerId,
    _parent: LayerId,
    tar: Readable,
  ): Promise<number> {
    const layer = this.layer(id)
    if (layer.tar !== undefined) {
      throw new AlreadyExistsError(`Layer "${id}" has been applied to already`)
    }
    const bytes = await buffer(tar)
    layer.tar = bytes
    return bytes.length
  }

  async diffSize(id: LayerId): Promise<number> {
    return this.layer(id).tar?.length ?? 0
  }

  layer(id: LayerId): FakeLayer {
    const layer = this.layers.get(id)
    if (layer !== undefined) return layer
    throw new NotFoundError(`Layer "${id}" does not exist`)
  }

  async *#read(id: LayerId): AsyncGenerator<Buffer, void> {
    const { tar = Buffer.alloc(1024) } = this.layer(id)
    this.openStreams++
    try {
      for (let at = 0; at < tar.length; at += 65_536) {
        if (at >= this.breakAfter) throw new Error('Disk on fire')
        yield tar.subarray(at, at + 65_536)
      }
    } finally {
      this.openStreams--
    }
  }
}
