import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { usageOf } from '../../src/archive/tree-usage.ts'
import {
  VolumeExistsError,
  VolumeNotFoundError,
} from '../../src/volume/volume-errors.ts'
import type { VolumeOptions } from '../../src/volume/volume-options.ts'
import type {
  VolumeCapabilities,
  VolumeListing,
  VolumeStorer,
} from '../../src/volume/volume-storer.ts'
import type { StoreRoom, VolumeUsage } from '../../src/volume/volume-usage.ts'
import { frozenVolume, type Volume } from '../../src/volume/volume.ts'

/** What a memory store remembers, for another one to begin with. */
export type Memory = Map<string, Volume>

const because = 'it forgets all but names'

/** The least that a store can be: records in memory, files in a directory. */
export class MemoryVolumeStore implements VolumeStorer {
  readonly name: string
  readonly kind = 'memory'
  readonly capabilities: VolumeCapabilities = {
    maxNameBytes: 255,
    capacity: { because },
    ownership: { because },
    ro: { because },
    path: { because },
    from: true,
    trash: { because },
    clone: true,
    snapshots: { because },
    live: { because },
    pause: { because },
    grow: { because },
    shrink: { because },
    rename: { because },
  }
  readonly #home: string
  readonly #volumes: Memory

  constructor(name: string, home: string, memory: Memory = new Map()) {
    this.name = name
    this.#home = home
    this.#volumes = memory
  }

  async create(name: string, options: VolumeOptions): Promise<Volume> {
    if (this.#volumes.has(name)) throw new VolumeExistsError(name)
    const source = options.from && (await this.get(options.from)).mountpoint
    const volume = frozenVolume({
      name,
      store: this.name,
      createdAt: new Date().toISOString(),
      options,
      snapshots: [],
      mountpoint: join(this.#home, name),
    })
    this.#volumes.set(name, volume)
    await fs.mkdir(volume.mountpoint, { mode: 0o755 })
    if (source) await fs.cp(source, volume.mountpoint, { recursive: true })
    return volume
  }

  async get(name: string): Promise<Volume> {
    const volume = this.#volumes.get(name)
    if (volume === undefined) throw new VolumeNotFoundError(name)
    return volume
  }

  async list(): Promise<VolumeListing> {
    return { volumes: [...this.#volumes.values()], problems: [] }
  }

  async mount(name: string): Promise<string> {
    return (await this.get(name)).mountpoint
  }

  async unmount(): Promise<void> {
    // The directory is always there.
  }

  async amend(name: string, options: VolumeOptions): Promise<Volume> {
    const volume = frozenVolume({ ...(await this.get(name)), options })
    this.#volumes.set(name, volume)
    return volume
  }

  async usage(name: string): Promise<VolumeUsage> {
    return usageOf((await this.get(name)).mountpoint)
  }

  async room(): Promise<StoreRoom> {
    const { bsize, blocks, bavail } = await fs.statfs(this.#home)
    return { total: blocks * bsize, free: bavail * bsize }
  }

  async remove(name: string): Promise<void> {
    const { mountpoint } = await this.get(name)
    await fs.rm(mountpoint, { recursive: true })
    this.#volumes.delete(name)
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}
