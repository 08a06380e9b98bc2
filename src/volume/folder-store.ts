import * as fs from 'node:fs/promises'
import {
  isErrno,
  messageOf,
  NotFoundError,
  NotSupportedError,
} from '../base/errors.ts'
import { isTurnOver, nextTurn } from '../base/next-turn.ts'
import { collectYoungGarbage } from '../base/young-garbage.ts'
import { readMountInfo } from '../linux/mountinfo.ts'
import { syncDirectory } from '../state/atomic-file.ts'
import { isStorageName, MAX_NAME_BYTES } from '../storage/storage-ref.ts'
import { AdoptedDirectories } from './adopted-directories.ts'
import { showView } from './bind-view.ts'
import type { CopyOptions } from './copy-options.ts'
import { FolderChanges } from './folder-changes.ts'
import { FolderDrafts } from './folder-drafts.ts'
import { FolderSnapshots } from './folder-snapshots.ts'
import { FolderTrash } from './folder-trash.ts'
import * as layout from './folder-layout.ts'
import {
  StoreDirectory,
  type StoreDirectoryOptions,
} from './store-directory.ts'
import type { KeptVolume, VolumeKeeping } from './volume-keeping.ts'
import type { ScannedVolume } from './volume-scan.ts'
import type { VolumeOptions } from './volume-options.ts'
import { VolumeFolders } from './volume-folders.ts'
import { parseCloneSource } from './snapshot.ts'
import { differInAttributes, unsettleRoot } from './volume-root.ts'
import type {
  Ability,
  ResizedVolume,
  VolumeCapabilities,
  VolumeListing,
  VolumeProblem,
  VolumeRepair,
  VolumeStorer,
} from './volume-storer.ts'
import type { StoreSnapshots } from './store-snapshots.ts'
import type { StoreTrash } from './store-trash.ts'
import type { StoreRoom, VolumeUsage } from './volume-usage.ts'
import type { Volume } from './volume.ts'

/** What the store is called, where it is, and what keeps its files. */
export interface FolderStoreOptions extends StoreDirectoryOptions {
  readonly name: string
}

/** Volumes as directories with a record each, and files as their keeping has them. */
export class FolderStore implements VolumeStorer {
  readonly name: string
  readonly kind: string
  readonly capabilities: VolumeCapabilities
  readonly snapshots?: StoreSnapshots
  readonly trash?: StoreTrash
  readonly #directory: StoreDirectory
  readonly #keeping: VolumeKeeping
  readonly #adopted: AdoptedDirectories
  readonly #folders: VolumeFolders
  readonly #changes: FolderChanges
  readonly #drafts: FolderDrafts
  /** What was put right and is yet to be told. */
  #repairs: VolumeRepair[] = []

  private constructor(
    { name, log }: FolderStoreOptions,
    directory: StoreDirectory,
  ) {
    const { keeping } = directory
    this.name = name
    this.kind = keeping.kind
    this.capabilities = capabilitiesOf(keeping)
    this.#directory = directory
    this.#keeping = keeping
    this.#adopted = new AdoptedDirectories(directory.path)
    this.#folders = new VolumeFolders(name, directory, log)
    this.#drafts = new FolderDrafts(directory)
    this.#changes = new FolderChanges(directory, this.#folders, log)
    if (this.capabilities.trash === true) {
      this.trash = new FolderTrash(name, directory, this.#folders)
    }
    if ('because' in keeping.copying) return
    const { copying } = keeping
    this.snapshots = new FolderSnapshots(directory, this.#folders, copying)
  }

  /** @throws UnavailableError when the store is away, or another process has it. */
  static async open(options: FolderStoreOptions): Promise<FolderStore> {
    const directory = await StoreDirectory.open(options)
    const store = new FolderStore(options, directory)
    await directory.sweep()
    store.#repairs.push(...(await store.#changes.finish()))
    return store
  }

  /** Builds the volume aside and renames it into place, so that it is whole or absent. */
  async create(
    name: string,
    options: VolumeOptions,
    copying: CopyOptions = {},
  ): Promise<Volume> {
    const { path } = options
    if (path !== undefined) await this.#adopted.check(path, options)
    const source = await this.#source(options)
    const capacity =
      options.capacity ?? source?.capacity ?? this.#keeping.defaultCapacity
    const createdAt = new Date().toISOString()
    const record = { name, createdAt, options, capacity }
    await this.#drafts.make(record, async (directory) => {
      const volume = { name, directory, options, capacity }
      if (path !== undefined) return 'elsewhere'
      if (source === undefined && this.#keeping.make === undefined) {
        return 'to be made'
      }
      await fs.mkdir(directory, { mode: layout.PASSAGE_MODE })
      if (source !== undefined) await this.#clone(volume, source, copying)
      else await this.#keeping.make?.(volume)
      return 'made'
    })
    return this.#folders.describeNew(record)
  }

  async get(name: string): Promise<Volume> {
    return this.#folders.described(name)
  }

  async list(): Promise<VolumeListing> {
    const volumes: Volume[] = []
    const problems: VolumeProblem[] = []
    for await (const part of this.#directory.scan()) {
      // All of it lives on, and V8 stands still for the longer the more there is.
      if (volumes.length > 0) collectYoungGarbage()
      for (const entry of part) {
        const found = await this.#found(entry)
        if ('reason' in found) problems.push(found)
        else volumes.push(found)
        if (isTurnOver()) await nextTurn()
      }
    }
    const repairs = this.#repairs.splice(0)
    return { volumes, problems, ...(repairs.length > 0 && { repairs }) }
  }

  async mount(name: string): Promise<string> {
    const { record, hasData } = await this.#folders.look(name)
    const { options, capacity } = record
    if (options.path !== undefined) {
      return this.#mountAdopted(name, options.path)
    }
    const directory = this.#path(name)
    const data = this.#path(name, layout.DATA)
    if (!hasData) {
      throw new NotFoundError(
        `Volume "${name}" has lost its files: "${data}" does not exist`,
      )
    }
    await this.#keeping.show({ name, directory, options, capacity })
    const { thread } = this.#directory
    const isFilled = await thread.call('settle', directory, options)
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
    const { mounting } = this.#keeping
    const whileHeld = mounting === 'while held'
    // A crash may have come between the mount of the files and that of their view.
    const isMounted = ({ name, mountpoint }: Volume): boolean =>
      points.has(mountpoint) ||
      (whileHeld && points.has(this.#path(name, layout.DATA)))
    return new Map(
      volumes
        .filter(
          (volume) =>
            whileHeld ||
            volume.options.ro ||
            // Mounted or not, it may be held by nobody; but never if it is not.
            (mounting === 'always' && !isMounted(volume)),
        )
        .map((volume) => [volume.name, isMounted(volume)]),
    )
  }

  async amend(name: string, options: VolumeOptions): Promise<Volume> {
    const record = await this.#folders.record(name)
    const path = this.#path(name, layout.VIEW)
    if (options.ro) await fs.mkdir(path, { recursive: true, mode: 0o755 })
    const amended = { ...record, options }
    await this.#folders.write(name, amended)
    if (differInAttributes(record.options, options)) {
      await unsettleRoot(this.#path(name))
    }
    return this.#folders.describe(amended)
  }

  async usage(name: string): Promise<VolumeUsage> {
    const { path } = (await this.#folders.record(name)).options
    if (path !== undefined) return this.#adopted.usage(path)
    return this.#directory.usage(this.#path(name))
  }

  async room(): Promise<StoreRoom> {
    return this.#directory.room()
  }

  async remove(name: string): Promise<void> {
    const volume = this.#path(name)
    const grave = this.#directory.aside(layout.REMOVED_PREFIX)
    try {
      await this.#directory.move(volume, grave, 'removed')
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
      throw await this.#directory.missing(name, { cause: error })
    }
    await syncDirectory(this.#directory.volumes)
    this.#directory.discard(grave)
  }

  async resize(name: string, capacity: number): Promise<ResizedVolume> {
    return this.#changes.resize(name, capacity)
  }

  async rename(name: string, to: string): Promise<Volume> {
    return this.#changes.rename(name, to)
  }

  async close(): Promise<void> {
    this.#adopted.close()
    await this.#directory.close()
  }

  async #clone(
    volume: KeptVolume,
    source: KeptVolume,
    options: CopyOptions,
  ): Promise<void> {
    const { copying } = this.#keeping
    if ('because' in copying) {
      throw new NotSupportedError(
        `Volume store "${this.name}" cannot clone volumes, because ${copying.because}`,
      )
    }
    await copying.clone(volume, source, options)
  }

  /** Docker itself finds nothing at `path` where nothing is; here it is said why. */
  async #mountAdopted(name: string, path: string): Promise<string> {
    const { mountpoint, options } = await this.get(name)
    await this.#adopted.show(path, options.ro ? mountpoint : undefined)
    return mountpoint
  }

  /** What `options` ask to begin as a clone of. */
  async #source({ from }: VolumeOptions): Promise<KeptVolume | undefined> {
    if (from === undefined) return undefined
    const { volume, snapshot } = parseCloneSource(from)
    if (snapshot === undefined) return this.#folders.kept(volume)
    return this.#folders.keptSnapshot(volume, snapshot)
  }

  /** The volume in the entry `name` of `volumes`, or what is wrong with it. */
  async #found({
    name,
    text,
    snapshots,
  }: ScannedVolume): Promise<Volume | VolumeProblem> {
    if (!isStorageName(name)) return { name, reason: 'it is not a volume' }
    try {
      if (text !== undefined) return this.#folders.read(name, text, snapshots)
      return await this.get(name)
    } catch (error) {
      if (await this.#folders.rebuild(name)) return this.#rebuilt(name)
      return this.#problem(name, error)
    }
  }

  async #rebuilt(name: string): Promise<Volume | VolumeProblem> {
    const repair = 'its record was damaged, and is written anew from its copy'
    this.#repairs.push({ name, repair })
    try {
      return await this.get(name)
    } catch (error) {
      return this.#problem(name, error)
    }
  }

  #problem(name: string, error: unknown): VolumeProblem {
    return { name, reason: `${messageOf(error)}: see "${this.#path(name)}"` }
  }

  #path(name: string, ...below: readonly string[]): string {
    return this.#folders.path(name, ...below)
  }
}

const OWN_FILES_ONLY = { because: 'it keeps files in a way of its own' }

function capabilitiesOf(keeping: VolumeKeeping): VolumeCapabilities {
  const { capacity, copying, resizing } = keeping
  const isRoot = process.getuid?.() === 0
  const root: Ability = isRoot || {
    because: 'Stowage does not run as root',
  }
  const clone = 'because' in copying ? copying : true
  return {
    maxNameBytes: MAX_NAME_BYTES,
    capacity,
    ownership: root,
    ro: root,
    path: keeping.adopts === true ? root : OWN_FILES_ONLY,
    trash: trashing(keeping),
    from: 'because' in copying ? copying : copying.atOnce,
    clone,
    snapshots: clone,
    live: 'because' in copying ? copying : copying.live,
    pause: 'because' in copying ? copying : copying.pause,
    grow: 'because' in resizing ? resizing : resizing.grow,
    shrink: 'because' in resizing ? resizing : resizing.shrink,
    rename: true,
  }
}

function trashing({ mounting }: VolumeKeeping): Ability {
  if (mounting !== 'always') return true
  return { because: 'it keeps files in memory only' }
}
