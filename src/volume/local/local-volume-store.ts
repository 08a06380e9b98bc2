import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import {
  InUseError,
  isErrno,
  messageOf,
  NotFoundError,
  UnavailableError,
} from '../../base/errors.ts'
import { inParallel } from '../../base/in-parallel.ts'
import type { Log } from '../../base/log.ts'
import { type FileLock, tryLock } from '../../linux/flock.ts'
import { mountsBelow, readMountInfo } from '../../linux/mountinfo.ts'
import { syncDirectory, writeFileAtomic } from '../../state/atomic-file.ts'
import { settleFormat } from '../../state/disk-format.ts'
import { isStorageName, MAX_NAME_BYTES } from '../../storage/storage-ref.ts'
import { hideView, showView } from '../bind-view.ts'
import { VolumeExistsError, VolumeNotFoundError } from '../volume-errors.ts'
import type { VolumeOptions } from '../volume-options.ts'
import { hasAttributes, isEmpty, setAttributes } from '../volume-root.ts'
import {
  DamagedRecordError,
  formatRecord,
  parseRecord,
  type VolumeRecord,
} from '../volume-record.ts'
import type {
  Ability,
  VolumeCapabilities,
  VolumeListing,
  VolumeProblem,
  VolumeStorer,
} from '../volume-storer.ts'
import { frozenVolume, type Volume } from '../volume.ts'
import * as layout from './layout.ts'

/** Records read at a time. More would only queue for libuv's four threads. */
const READERS = 16

export interface LocalStoreOptions {
  readonly name: string
  /** The store's own directory. */
  readonly directory: string
  /** Whether the store must be there already; else it is made where it is missing. */
  readonly isKnown: boolean
  readonly log: Log
}

/** Volumes as plain directories, on whatever filesystem they are. */
export class LocalVolumeStore implements VolumeStorer {
  readonly name: string
  readonly kind = 'local'
  readonly capabilities: VolumeCapabilities
  readonly #directory: string
  readonly #volumes: string
  readonly #log: Log
  readonly #lock: FileLock
  readonly #discarding = new Set<Promise<void>>()

  private constructor(
    { name, directory, log }: LocalStoreOptions,
    lock: FileLock,
  ) {
    this.name = name
    this.#directory = directory
    this.#volumes = join(directory, layout.VOLUMES)
    this.#log = log
    this.#lock = lock
    this.capabilities = capabilities()
  }

  /** @throws UnavailableError when the store is away, or another process has it. */
  static async open(options: LocalStoreOptions): Promise<LocalVolumeStore> {
    const mode = layout.PASSAGE_MODE
    if (options.isKnown) await requireStore(options.directory)
    await fs.mkdir(options.directory, { recursive: true, mode })
    // Mounts are told apart by their paths, and the kernel lists real ones.
    const directory = await fs.realpath(options.directory)
    const lock = await takeLock(directory)
    try {
      await settleFormat(join(directory, layout.FORMAT_FILE), layout.FORMAT)
      await fs.mkdir(join(directory, layout.VOLUMES), { recursive: true, mode })
      const store = new LocalVolumeStore({ ...options, directory }, lock)
      await store.#sweep()
      return store
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** Builds the volume aside and renames it into place, so that it is whole or absent. */
  async create(name: string, options: VolumeOptions): Promise<Volume> {
    const createdAt = new Date().toISOString()
    const draft = this.#aside(layout.DRAFT_PREFIX)
    await fs.mkdir(draft, { mode: layout.PASSAGE_MODE })
    try {
      const data = join(draft, layout.DATA)
      await fs.mkdir(data, { mode: 0o755 })
      await setAttributes(data, options)
      if (options.ro) await fs.mkdir(join(draft, layout.VIEW), { mode: 0o755 })
      const record = { name, createdAt, options }
      await writeFileAtomic(join(draft, layout.RECORD), formatRecord(record))
      await fs.rename(draft, this.#path(name))
    } catch (error) {
      await fs.rm(draft, { recursive: true, force: true })
      // A volume's directory is never empty, so rename cannot replace one.
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) throw error
      throw new VolumeExistsError(name, { cause: error })
    }
    await syncDirectory(this.#volumes)
    return this.#described({ name, createdAt, options })
  }

  async get(name: string): Promise<Volume> {
    return this.#described(await this.#record(name))
  }

  async list(): Promise<VolumeListing> {
    const names = await fs.readdir(this.#volumes)
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
    const isFilled = await this.#settle(name, options)
    if (!options.ro) return data
    // Docker fills an empty volume from the image: until then it is writable.
    const view = this.#path(name, layout.VIEW)
    await showView(data, view, { readonly: isFilled })
    return view
  }

  async unmount(name: string): Promise<void> {
    await hideView(this.#path(name, layout.VIEW))
  }

  async mounted(
    volumes: readonly Volume[],
  ): Promise<ReadonlyMap<string, boolean>> {
    const mounts = await readMountInfo()
    const points = new Set(mounts.map(({ mountpoint }) => mountpoint))
    return new Map(
      volumes
        .filter(({ options }) => options.ro)
        .map(({ name, mountpoint }) => [name, points.has(mountpoint)]),
    )
  }

  async remove(name: string): Promise<void> {
    const volume = this.#path(name)
    const [inside] = await mountsBelow(volume)
    if (inside !== undefined) {
      throw new InUseError(
        `Volume "${name}" cannot be removed while "${inside}" is mounted: unmount it first`,
      )
    }
    const grave = this.#aside(layout.REMOVED_PREFIX)
    try {
      await fs.rename(volume, grave)
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
      throw new VolumeNotFoundError(name, { cause: error })
    }
    await syncDirectory(this.#volumes)
    this.#discard(grave)
  }

  async close(): Promise<void> {
    await Promise.all(this.#discarding)
    await this.#lock.release()
  }

  /**
   * Sees to it that the root has its attributes, and answers whether there is
   * anything in the volume.
   *
   * Docker fills a new volume from the image and gives its root the attributes of
   * the image's directory. So they are set at each mount, for the last time at
   * the first that finds something in it; from then on they are the user's.
   */
  async #settle(name: string, options: VolumeOptions): Promise<boolean> {
    const settled = this.#path(name, layout.SETTLED)
    const data = this.#path(name, layout.DATA)
    if (await exists(settled)) return true
    const isFilled = !(await isEmpty(data))
    if (hasAttributes(options) || options.ro) {
      await setAttributes(data, options)
      if (isFilled) await fs.writeFile(settled, '', { mode: 0o600 })
    }
    return isFilled
  }

  /** The volume in the entry `name` of `volumes`, or what is wrong with it. */
  async #found(name: string): Promise<Volume | VolumeProblem> {
    if (!isStorageName(name)) return { name, reason: 'it is not a volume' }
    try {
      return await this.get(name)
    } catch (error) {
      return { name, reason: messageOf(error) }
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

  /** Deletes what a crash left half made or half removed. */
  async #sweep(): Promise<void> {
    for (const entry of await fs.readdir(this.#directory)) {
      const isLeftover =
        entry.startsWith(layout.DRAFT_PREFIX) ||
        entry.startsWith(layout.REMOVED_PREFIX)
      if (isLeftover) this.#discard(join(this.#directory, entry))
    }
  }

  /** Deletes in the background what no one can see any more. */
  #discard(path: string): void {
    const work = this.#delete(path)
    this.#discarding.add(work)
    void work.finally(() => this.#discarding.delete(work))
  }

  async #delete(path: string): Promise<void> {
    try {
      const [inside] = await mountsBelow(path)
      if (inside === undefined) {
        await fs.rm(path, { recursive: true, force: true })
      } else {
        this.#log.warn('Leftover kept: it is mounted', { path: inside })
      }
    } catch (error) {
      this.#log.warn('Leftover kept: it cannot be deleted', { path, error })
    }
  }

  /** A fresh path beside the volumes, and on their filesystem. */
  #aside(prefix: string): string {
    return join(this.#directory, prefix + randomBytes(8).toString('hex'))
  }

  #path(name: string, ...below: readonly string[]): string {
    return join(this.#volumes, name, ...below)
  }
}

/** A store does not vanish, but its filesystem may not be mounted yet. */
async function requireStore(directory: string): Promise<void> {
  if (await exists(join(directory, layout.FORMAT_FILE))) return
  throw new UnavailableError(
    `"${directory}" held a volume store and does not now: mount its filesystem`,
  )
}

async function takeLock(directory: string): Promise<FileLock> {
  const lock = await tryLock(join(directory, layout.LOCK))
  if (lock !== undefined) return lock
  throw new UnavailableError(
    `"${directory}" is in use by another Stowage: stop it, or choose another directory`,
  )
}

function capabilities(): VolumeCapabilities {
  const isRoot = process.getuid?.() === 0
  const root: Ability = isRoot || {
    because: 'Stowage does not run as root',
  }
  return {
    maxNameBytes: MAX_NAME_BYTES,
    capacity: { because: 'a plain directory cannot be kept from growing' },
    ownership: root,
    ro: root,
    path: { because: 'it keeps only directories of its own' },
    from: { because: 'it makes every volume empty' },
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await fs.lstat(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}
