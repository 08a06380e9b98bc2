import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { NotSupportedError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { syncDirectory, writeFileAtomic } from '../state/atomic-file.ts'
import { exists, namesIn } from '../state/listing.ts'
import * as layout from './folder-layout.ts'
import { rebuildRecord } from './rebuild-record.ts'
import type { StoreDirectory } from './store-directory.ts'
import { SnapshotNotFoundError } from './volume-errors.ts'
import type { VolumeOptions } from './volume-options.ts'
import type { KeptVolume } from './volume-keeping.ts'
import {
  DamagedRecordError,
  formatRecord,
  parseRecord,
  type VolumeRecord,
} from './volume-record.ts'
import type { Snapshot } from './snapshot.ts'
import { frozenVolume, type Volume } from './volume.ts'

interface FoundVolume {
  readonly record: VolumeRecord
  readonly hasData: boolean
}

/** The directories of a store's volumes, and what is written in them. */
export class VolumeFolders {
  readonly #store: string
  readonly #directory: StoreDirectory
  readonly #log: Log

  /** @param directory The directory of `store`. */
  constructor(store: string, directory: StoreDirectory, log: Log) {
    this.#store = store
    this.#directory = directory
    this.#log = log
  }

  path(name: string, ...below: readonly string[]): string {
    return join(this.#directory.volumes, name, ...below)
  }

  snapshotPath(name: string, snapshot: string): string {
    return this.path(name, layout.SNAPSHOTS, snapshot)
  }

  /**
   * @throws VolumeNotFoundError
   * @throws DamagedRecordError
   */
  async record(name: string): Promise<VolumeRecord> {
    return (await this.look(name)).record
  }

  /**
   * The record of a volume, and whether its files are where they belong.
   *
   * @throws as `record` does.
   */
  async look(name: string): Promise<FoundVolume> {
    const { thread } = this.#directory
    const { isThere, text, hasData } = await thread.call(
      'look',
      this.path(name),
    )
    if (!isThere) throw await this.#directory.missing(name)
    if (text === undefined) {
      throw new DamagedRecordError('its record is missing')
    }
    return { record: parseRecord(text, name), hasData }
  }

  /** A crash in between leaves no copy, rather than one of what was before. */
  async write(name: string, record: VolumeRecord): Promise<void> {
    const text = formatRecord(record)
    const copy = this.path(name, layout.RECORD_COPY)
    const drafts = this.#directory.path
    await fs.rm(copy, { force: true })
    await this.writeFile(this.path(name, layout.RECORD), text)
    try {
      await writeFileAtomic(copy, text, { drafts, durable: false })
    } catch (error) {
      this.#log.debug('Record without a copy', { volume: name, error })
    }
  }

  /**
   * Writes a damaged record anew, if that can be done for certain, and answers whether
   * it was. What cannot be read, or a full disk, must not hide all other volumes.
   */
  async rebuild(name: string): Promise<boolean> {
    try {
      return await rebuildRecord(this.path(name), this.#directory.path)
    } catch (error) {
      this.#log.warn('Record not written anew', { volume: name, error })
      return false
    }
  }

  /**
   * Replaces a file of a volume. Its draft is where the next start sweeps, which
   * looks into no volume.
   */
  async writeFile(path: string, text: string): Promise<void> {
    await writeFileAtomic(path, text, { drafts: this.#directory.path })
  }

  /**
   * The volume as its keeping sees it.
   *
   * @throws NotSupportedError for an adopted one, which no keeping sees.
   */
  async kept(name: string): Promise<KeptVolume> {
    const { options, capacity } = await this.record(name)
    if (options.path !== undefined) {
      throw new NotSupportedError(
        `Volume "${name}" was adopted: its files are neither copied nor changed here, because "${options.path}" is somebody else's`,
      )
    }
    return { name, directory: this.path(name), options, capacity }
  }

  /** The snapshot as its keeping sees it: it has the options of its volume. */
  async keptSnapshot(name: string, snapshot: string): Promise<KeptVolume> {
    const volume = await this.kept(name)
    const directory = this.snapshotPath(name, snapshot)
    if (await exists(directory)) return { ...volume, directory }
    throw new SnapshotNotFoundError(name, snapshot)
  }

  async described(name: string): Promise<Volume> {
    return this.describe(await this.record(name))
  }

  async describe(record: VolumeRecord): Promise<Volume> {
    return this.#volume(record, await this.#snapshots(record.name))
  }

  /** The volume that was made just now. */
  describeNew(record: VolumeRecord): Volume {
    return this.#volume(record, [])
  }

  /**
   * The volume whose record has been read already.
   *
   * @throws DamagedRecordError
   */
  read(name: string, text: string, snapshots: readonly Snapshot[]): Volume {
    return this.#volume(parseRecord(text, name), snapshots)
  }

  #volume(
    { name, createdAt, options, capacity }: VolumeRecord,
    snapshots: readonly Snapshot[],
  ): Volume {
    return frozenVolume({
      name,
      store: this.#store,
      createdAt,
      options,
      capacity,
      snapshots: Object.freeze(snapshots),
      mountpoint: this.#mountpoint(name, options),
    })
  }

  #mountpoint(name: string, { ro, path }: VolumeOptions): string {
    if (ro) return this.path(name, layout.VIEW)
    return path ?? this.path(name, layout.DATA)
  }

  /** Makes the names of volumes outlive a power cut. */
  async sync(): Promise<void> {
    await syncDirectory(this.#directory.volumes)
  }

  async #snapshots(name: string): Promise<readonly Snapshot[]> {
    const snapshots: Snapshot[] = []
    for (const snapshot of await namesIn(this.path(name, layout.SNAPSHOTS))) {
      const { mtime } = await fs.stat(this.snapshotPath(name, snapshot))
      snapshots.push({ name: snapshot, createdAt: mtime.toISOString() })
    }
    return snapshots
  }
}
