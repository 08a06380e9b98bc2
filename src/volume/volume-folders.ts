import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, NotSupportedError } from '../base/errors.ts'
import { syncDirectory, writeFileAtomic } from '../state/atomic-file.ts'
import { exists, namesIn } from '../state/listing.ts'
import * as layout from './folder-layout.ts'
import { SnapshotNotFoundError, VolumeNotFoundError } from './volume-errors.ts'
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

/** The directories of a store's volumes, and what is written in them. */
export class VolumeFolders {
  readonly #store: string
  readonly #volumes: string

  /** @param volumes The directory that has one for each volume of `store`. */
  constructor(store: string, volumes: string) {
    this.#store = store
    this.#volumes = volumes
  }

  path(name: string, ...below: readonly string[]): string {
    return join(this.#volumes, name, ...below)
  }

  snapshotPath(name: string, snapshot: string): string {
    return this.path(name, layout.SNAPSHOTS, snapshot)
  }

  /**
   * @throws VolumeNotFoundError
   * @throws DamagedRecordError
   */
  async record(name: string): Promise<VolumeRecord> {
    let text
    try {
      text = await fs.readFile(this.path(name, layout.RECORD), 'utf8')
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
      if (!(await exists(this.path(name)))) {
        throw new VolumeNotFoundError(name, { cause: error })
      }
      throw new DamagedRecordError('its record is missing', { cause: error })
    }
    return parseRecord(text, name)
  }

  async write(name: string, record: VolumeRecord): Promise<void> {
    const path = this.path(name, layout.RECORD)
    await writeFileAtomic(path, formatRecord(record))
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
    await syncDirectory(this.#volumes)
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
