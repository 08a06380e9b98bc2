import type { Readable } from 'node:stream'
import { packDifference } from '../archive/layer-diff.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import type { DataSink, ImportOptions } from '../storage/data-sink.ts'
import type { ImportResult } from '../archive/import-result.ts'
import type { DataSource, ExportOptions } from '../storage/data-source.ts'
import type { DifferenceOptions, Exporter } from '../storage/exporter.ts'
import type { Importer } from '../storage/importer.ts'
import { MountDataSink } from '../storage/mount-data-sink.ts'
import { MountDataSource } from '../storage/mount-data-source.ts'
import type { Owner, Resolver } from '../storage/resolver.ts'
import { exportOnce, importOnce } from '../storage/single-use.ts'
import { formatRef, parseRef } from '../storage/storage-ref.ts'
import { ownHolder } from './own-holder.ts'
import { type CloneSource, parseCloneSource } from './snapshot.ts'
import { VolumeNotFoundError } from './volume-errors.ts'
import type { VolumeLookupCache } from './volume-lookup-cache.ts'

/** A volume that is mounted for a transfer. */
interface HeldVolume {
  readonly mountpoint: string
  /** Whether somebody may write to it meanwhile. */
  readonly writable: boolean
  readonly letGo: () => Promise<void>
}

/**
 * Volumes as archives, in and out, whatever store keeps them: each is mounted like
 * any other mount while it is read or written, so that nobody removes it meanwhile.
 *
 * Containers may write to a volume while it is exported. What changes then is in
 * the archive as it was or as it became; for more, export a snapshot of it, which
 * goes by `VOLUME@SNAPSHOT`.
 */
export class VolumeTransfers implements Importer, Exporter, Resolver {
  readonly #volumes: VolumeLookupCache

  constructor(volumes: VolumeLookupCache) {
    this.#volumes = volumes
  }

  async export(id: string, options: DifferenceOptions = {}): Promise<Readable> {
    const { ancestor, ...rest } = options
    if (ancestor !== undefined) return this.#difference(id, ancestor, rest)
    return exportOnce(await this.openSource(id), rest)
  }

  async openSource(id: string): Promise<DataSource> {
    const { mountpoint, letGo, writable } = await this.#shown(id)
    return new MountDataSource(mountpoint, { letGo, writable })
  }

  async import(
    id: string,
    tar: Readable,
    options?: ImportOptions,
  ): Promise<ImportResult> {
    return importOnce(await this.openSink(id), tar, options)
  }

  async openSink(id: string): Promise<DataSink> {
    const { mountpoint, letGo } = await this.#hold(id)
    return new MountDataSink(mountpoint, { letGo })
  }

  async locate(id: string): Promise<string> {
    const { store } = await this.#volumes.settledEntry(id)
    return formatRef({ kind: 'volume', store, id })
  }

  async owners(link: string): Promise<readonly Owner[]> {
    const ref = parseRef(link)
    if (ref.kind !== 'volume') {
      throw new InvalidArgumentError(`"${link}" does not name a volume`)
    }
    const { store } = await this.#volumes.settledEntry(ref.id)
    if (store !== ref.store) throw new VolumeNotFoundError(ref.id)
    return [...this.#volumes.holders(ref.id)]
      .map(([id, holds]) => ({ id, holds }))
      .toSorted((one, other) => (one.id < other.id ? -1 : 1))
  }

  async #difference(
    id: string,
    ancestor: string,
    { filter, data = true, signal }: ExportOptions,
  ): Promise<Readable> {
    const volume = await this.#shown(id)
    const below = await this.#shownToo(ancestor, volume)
    const release = async (): Promise<void> => {
      await volume.letGo()
      await below.letGo()
    }
    return packDifference(
      { tree: volume.mountpoint, parent: below.mountpoint },
      {
        filter,
        headersOnly: !data,
        writable: volume.writable || below.writable,
        signal,
        release,
      },
    )
  }

  /** A second volume; should it not be there, the first is let go. */
  async #shownToo(id: string, first: HeldVolume): Promise<HeldVolume> {
    try {
      return await this.#shown(id)
    } catch (error) {
      await first.letGo()
      throw error
    }
  }

  /** A volume, or what is kept of its past, to be read. */
  async #shown(id: string): Promise<HeldVolume> {
    const { volume, snapshot } = sourceOf(id)
    if (snapshot === undefined) return this.#hold(volume)
    await this.#volumes.settledEntry(volume)
    const shown = await this.#volumes.snapshots.show(volume, snapshot)
    return {
      mountpoint: shown.path,
      writable: false,
      letGo: async () => shown[Symbol.asyncDispose](),
    }
  }

  async #hold(name: string): Promise<HeldVolume> {
    const holder = ownHolder()
    const mountpoint = await this.#volumes.mount(name, holder)
    return {
      mountpoint,
      writable: true,
      letGo: () => this.#volumes.unmount(name, holder),
    }
  }
}

/** A name that cannot be a snapshot's is of no volume, as the catalogue will say. */
function sourceOf(id: string): CloneSource {
  return id.includes('@') ? parseCloneSource(id) : { volume: id }
}
