import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { InvalidArgumentError, NotSupportedError } from '../base/errors.ts'
import type { ImportResult } from '../archive/import-result.ts'
import type { DataSink, ImportOptions } from '../storage/data-sink.ts'
import type { DataSource } from '../storage/data-source.ts'
import type { DifferenceOptions, Exporter } from '../storage/exporter.ts'
import type { Importer } from '../storage/importer.ts'
import { MountDataSink } from '../storage/mount-data-sink.ts'
import { MountDataSource } from '../storage/mount-data-source.ts'
import type { Owner, Resolver } from '../storage/resolver.ts'
import { exportOnce, importOnce } from '../storage/single-use.ts'
import { formatRef, parseRef } from '../storage/storage-ref.ts'
import { VolumeNotFoundError } from './volume-errors.ts'
import type { VolumeLookupCache } from './volume-lookup-cache.ts'

/** What holders are called that only read or write an archive. */
const HOLDER_PREFIX = 'transfer-'

/**
 * The volumes of all stores as archives, out and in, whatever keeps them.
 *
 * While a volume is read or written it is held like one that a container uses, so
 * that nobody removes it meanwhile. It may be in use at the same time: then the
 * archive is of what was there file by file, and a quiet copy is a snapshot's.
 */
export class VolumeTransfer implements Importer, Exporter, Resolver {
  readonly #volumes: VolumeLookupCache

  private constructor(volumes: VolumeLookupCache) {
    this.#volumes = volumes
  }

  /** Drops the holds of transfers that a crash interrupted. */
  static async open(volumes: VolumeLookupCache): Promise<VolumeTransfer> {
    for (const { name } of volumes.list()) {
      for (const [holder, times] of volumes.holders(name)) {
        if (!holder.startsWith(HOLDER_PREFIX)) continue
        for (let hold = 0; hold < times; hold++) {
          await volumes.unmount(name, holder)
        }
      }
    }
    return new VolumeTransfer(volumes)
  }

  async openSource(name: string): Promise<DataSource> {
    const { path, letGo } = await this.#hold(name)
    return new MountDataSource(path, { letGo, writable: true })
  }

  async openSink(name: string): Promise<DataSink> {
    const { path, letGo } = await this.#hold(name)
    return new MountDataSink(path, { letGo })
  }

  async export(
    name: string,
    { ancestor, ...options }: DifferenceOptions = {},
  ): Promise<Readable> {
    if (ancestor !== undefined) {
      throw new NotSupportedError(
        `Volume "${name}" cannot be compared with "${ancestor}": volumes have no ancestors`,
      )
    }
    return exportOnce(await this.openSource(name), options)
  }

  async import(
    name: string,
    tar: Readable,
    options?: ImportOptions,
  ): Promise<ImportResult> {
    return importOnce(await this.openSink(name), tar, options)
  }

  async locate(name: string): Promise<string> {
    const { store } = this.#volumes.get(name)
    return formatRef({ kind: 'volume', store, id: name })
  }

  async owners(link: string): Promise<readonly Owner[]> {
    const ref = parseRef(link)
    if (ref.kind !== 'volume') {
      throw new InvalidArgumentError(`"${link}" does not name a volume`)
    }
    const { store } = this.#volumes.entry(ref.id)
    if (store !== ref.store) throw new VolumeNotFoundError(ref.id)
    return [...this.#volumes.holders(ref.id)]
      .map(([id, holds]) => ({ id, holds }))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  async #hold(
    name: string,
  ): Promise<{ path: string; letGo: () => Promise<void> }> {
    const holder = HOLDER_PREFIX + randomBytes(8).toString('hex')
    const path = await this.#volumes.mount(name, holder)
    return { path, letGo: () => this.#volumes.unmount(name, holder) }
  }
}
