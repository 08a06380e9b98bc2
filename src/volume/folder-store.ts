import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import {
  InUseError,
  InvalidArgumentError,
  isErrno,
  messageOf,
  NotFoundError,
} from '../base/errors.ts'
import { inParallel } from '../base/in-parallel.ts'
import { readMountInfo } from '../linux/mountinfo.ts'
import { syncDirectory, writeFileAtomic } from '../state/atomic-file.ts'
import { exists } from '../state/listing.ts'
import { isStorageName, MAX_NAME_BYTES } from '../storage/storage-ref.ts'
import { showView } from './bind-view.ts'
import * as layout from './folder-layout.ts'
import {
  StoreDirectory,
  type StoreDirectoryOptions,
} from './store-directory.ts'
import { VolumeExistsError, VolumeNotFoundError } from './volume-errors.ts'
import type { KeptVolume, VolumeKeeping } from './volume-keeping.ts'
import type { VolumeOptions } from './volume-options.ts'
import {
  DamagedRecordError,
  formatRecord,
  parseRecord,
  type VolumeRecord,
} from './volume-record.ts'
import { settleRoot } from './volume-root.ts'
import type {
  Ability,
  VolumeCapabilities,
  VolumeListing,
  VolumeProblem,
  VolumeStorer,
} from './volume-storer.ts'
import type { StoreRoom, VolumeUsage } from './volume-usage.ts'
import { frozenVolume, type Volume } from './volume.ts'

/** Records read at a time. More would only queue for libuv's four threads. */
const READERS = 16

export interface FolderStoreOptions extends StoreDirectoryOptions {
  readonly name: string
}

/** Volumes as directories with a record each, and files as their keeping has them. */
export class FolderStore implements VolumeStorer {
  readonly name: string
  readonly kind: string
  readonly capabilities: VolumeCapabilities
  readonly #directory: StoreDirectory
  readonly #keeping: VolumeKeeping

  private constructor(name: string, directory: StoreDirectory) {
    const { keeping } = directory
    this.name = name
    this.kind = keeping.kind
    this.#directory = directory
    this.#keeping = keeping
    this.capabilities = capabilitiesOf(keeping)
  }

  /** @throws UnavailableError when the store is away, or another process has it. */
  static async open(options: FolderStoreOptions): Promise<FolderStore> {
    return new FolderStore(options.name, await StoreDirectory.open(options))
  }

  /** Builds the volume aside and renames it into place, so that it is whole or absent. */
  async create(name: string, options: VolumeOptions): Promise<Volume> {
    const record = { name, createdAt: new Date().toISOString(), options }
    const source = await this.#source(options)
    const draft = this.#directory.aside(layout.DRAFT_PREFIX)
    try {
      await fs.mkdir(draft, { mode: layout.PASSAGE_MODE })
      await this.#keeping.make({ name, directory: draft, options }, source)
      if (options.ro) await fs.mkdir(join(draft, layout.VIEW), { mode: 0o755 })
      await writeFileAtomic(join(draft, layout.RECORD), formatRecord(record))
      await fs.rename(draft, this.#path(name))
    } catch (error) {
      await this.#directory.delete(draft)
      // A volume's directory is never empty, so rename cannot replace one.
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error
      throw new VolumeExistsError(name, { cause: error })
    }
    try {
      await syncDirectory(this.#directory.volumes)
    } catch (error) {
      await fs.rename(this.#path(name), draft)
      await this.#directory.delete(draft)
      throw error
    }
    return this.#described(record)
  }

  async get(name: string): Promise<Volume> {
    return this.#described(await this.#record(name))
  }

  async list(): Promise<VolumeListing> {
    const names = await fs.readdir(this.#directory.volumes)
    const found = await inParallel(names, READERS, (name) => this.#found(name))
    return {
      volumes: found.filter((entry) => 'mountpoint' in entry),
      problems: found.filter((entry) => 'reason' in entry),
    }
  }

  async mount(name: string): Promise<string> {
    const { options } = await this.#record(name)
    const data = this.#path(name, layout.DATA)
    if (!(await exists(data))) {
      throw new NotFoundError(
        `Volume "${name}" has lost its files: "${data}" does not exist`,
      )
    }
    await this.#keeping.show({ name, directory: this.#path(name), options })
    const isFilled = await settleRoot(this.#path(name), options)
    if (!options.ro) return data
    // Docker fills an empty volume from the image: until then it is writable.
    const view = this.#path(name, layout.VIEW)
    await showView(data, view, { readonly: isFilled })
    return view
  }

  async unmount(name: string): Promise<void> {
    await this.#directory.release(this.#path(name))
  }

  async mounted(
    volumes: readonly Volume[],
  ): Promise<ReadonlyMap<string, boolean>> {
    const mounts = await readMountInfo()
    const points = new Set(mounts.map(({ mountpoint }) => mountpoint))
    const whileHeld = this.#keeping.mounting === 'while held'
    // A crash may have come between the mount of the files and that of their view.
    const isMounted = ({ name, mountpoint }: Volume): boolean =>
      points.has(mountpoint) ||
      (whileHeld && points.has(this.#path(name, layout.DATA)))
    return new Map(
      volumes
        .filter(({ options }) => whileHeld || options.ro)
        .map((volume) => [volume.name, isMounted(volume)]),
    )
  }

  async amend(name: string, options: VolumeOptions): Promise<Volume> {
    const record = { ...(await this.#record(name)), options }
    await writeFileAtomic(this.#path(name, layout.RECORD), formatRecord(record))
    return this.#described(record)
  }

  async usage(name: string): Promise<VolumeUsage> {
    await this.#record(name)
    return this.#directory.usage(this.#path(name))
  }

  async room(): Promise<StoreRoom> {
    return this.#directory.room()
  }

  async remove(name: string): Promise<void> {
    const volume = this.#path(name)
    const inside = await this.#directory.foreignMount(volume)
    if (inside !== undefined) {
      throw new InUseError(
        `Volume "${name}" cannot be removed while "${inside}" is mounted: unmount it first`,
      )
    }
    // A crash may have left it mounted though nobody holds it.
    await this.#directory.release(volume)
    const grave = this.#directory.aside(layout.REMOVED_PREFIX)
    try {
      await fs.rename(volume, grave)
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
      throw new VolumeNotFoundError(name, { cause: error })
    }
    await syncDirectory(this.#directory.volumes)
    this.#directory.discard(grave)
  }

  async close(): Promise<void> {
    await this.#directory.close()
  }

  /** The volume that `options` ask to begin as a clone of. */
  async #source({ from }: VolumeOptions): Promise<KeptVolume | undefined> {
    if (from === undefined) return undefined
    if (!isStorageName(from)) {
      throw new InvalidArgumentError(
        `Cannot begin as a clone of "${from}": it is not the name of a volume`,
      )
    }
    const { options } = await this.#record(from)
    return { name: from, directory: this.#path(from), options }
  }

  /** The volume in the entry `name` of `volumes`, or what is wrong with it. */
  async #found(name: string): Promise<Volume | VolumeProblem> {
    if (!isStorageName(name)) return { name, reason: 'it is not a volume' }
    try {
      return await this.get(name)
    } catch (error) {
      return { name, reason: `${messageOf(error)}: see "${this.#path(name)}"` }
    }
  }

  async #record(name: string): Promise<VolumeRecord> {
    let text
    try {
      text = await fs.readFile(this.#path(name, layout.RECORD), 'utf8')
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
      if (!(await exists(this.#path(name)))) {
        throw new VolumeNotFoundError(name, { cause: error })
      }
      throw new DamagedRecordError('its record is missing', { cause: error })
    }
    return parseRecord(text, name)
  }

  #described({ name, createdAt, options }: VolumeRecord): Volume {
    const mountpoint = this.#path(name, options.ro ? layout.VIEW : layout.DATA)
    return frozenVolume({
      name,
      store: this.name,
      createdAt,
      options,
      mountpoint,
    })
  }

  #path(name: string, ...below: readonly string[]): string {
    return join(this.#directory.volumes, name, ...below)
  }
}

function capabilitiesOf({ capacity, from }: VolumeKeeping): VolumeCapabilities {
  const isRoot = process.getuid?.() === 0
  const root: Ability = isRoot || {
    because: 'Stowage does not run as root',
  }
  return {
    maxNameBytes: MAX_NAME_BYTES,
    capacity,
    ownership: root,
    ro: root,
    path: { because: 'it keeps only directories of its own' },
    from,
    trash: { because: 'it deletes volumes at once' },
  }
}
