import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  frozenVolume,
  isErrno,
  messageOf,
  type SimpleStore,
  UnavailableError,
  type Volume,
  VolumeExistsError,
  type VolumeListing,
  VolumeNotFoundError,
  type VolumeOptions,
} from 'stowage'
import { isMountpoint, unmount } from 'stowage/graph'
import { parseVolumeOptions } from 'stowage/volume'

const run = promisify(execFile)

export interface RcloneStoreOptions {
  /** A remote and a path on it, such as `s3:bucket/volumes`. */
  readonly remote: string
  /** A directory of this host, for records and mountpoints. */
  readonly directory: string
}

/** Volumes as directories of a remote, each mounted while somebody holds it. */
export class RcloneStore implements SimpleStore {
  readonly name = 'default'
  readonly kind = 'rclone'
  readonly #remote: string
  readonly #records: string
  readonly #mounts: string

  private constructor({ remote, directory }: RcloneStoreOptions) {
    this.#remote = remote
    this.#records = join(directory, 'records')
    this.#mounts = join(directory, 'mounts')
  }

  /** @throws UnavailableError when the remote cannot be reached. */
  static async open(options: RcloneStoreOptions): Promise<RcloneStore> {
    const store = new RcloneStore(options)
    await fs.mkdir(store.#records, { recursive: true })
    await fs.mkdir(store.#mounts, { recursive: true })
    await rclone('mkdir', options.remote)
    return store
  }

  async create(name: string, { typed }: VolumeOptions): Promise<Volume> {
    await rclone('mkdir', `${this.#remote}/${name}`)
    const record = { createdAt: new Date().toISOString(), typed }
    const draft = join(this.#records, `.${process.hrtime.bigint()}`)
    await fs.writeFile(draft, JSON.stringify(record))
    try {
      // Unlike a rename, a link replaces nothing.
      await fs.link(draft, join(this.#records, name))
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error
      throw new VolumeExistsError(name, { cause: error })
    } finally {
      await fs.rm(draft)
    }
    return this.get(name)
  }

  async get(name: string): Promise<Volume> {
    try {
      const text = await fs.readFile(join(this.#records, name), 'utf8')
      const { createdAt, typed } = JSON.parse(text)
      const [store, mountpoint] = [this.name, join(this.#mounts, name)]
      const options = parseVolumeOptions(typed)
      return frozenVolume({ name, store, createdAt, options, mountpoint })
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
      throw new VolumeNotFoundError(name, { cause: error })
    }
  }

  async list(): Promise<VolumeListing> {
    const names = await fs.readdir(this.#records)
    const volumes = names.filter((name) => !name.startsWith('.'))
    return {
      volumes: await Promise.all(volumes.map((name) => this.get(name))),
      problems: [],
    }
  }

  async mount(name: string): Promise<string> {
    const { mountpoint } = await this.get(name)
    await fs.mkdir(mountpoint, { recursive: true })
    if (!(await isMountpoint(mountpoint))) {
      const source = `${this.#remote}/${name}`
      const flags = ['--daemon', '--vfs-cache-mode', 'writes', '--allow-other']
      await rclone('mount', source, mountpoint, ...flags)
    }
    return mountpoint
  }

  async unmount(name: string): Promise<void> {
    const { mountpoint } = await this.get(name)
    if (await isMountpoint(mountpoint)) await unmount(mountpoint)
  }

  async mounted(
    volumes: readonly Volume[],
  ): Promise<ReadonlyMap<string, boolean>> {
    const mounted = new Map<string, boolean>()
    for (const { name, mountpoint } of volumes) {
      mounted.set(name, await isMountpoint(mountpoint))
    }
    return mounted
  }

  async remove(name: string): Promise<void> {
    const { mountpoint } = await this.get(name)
    await this.unmount(name)
    await rclone('purge', `${this.#remote}/${name}`)
    await fs.rm(mountpoint, { recursive: true, force: true })
    await fs.rm(join(this.#records, name))
  }

  async close(): Promise<void> {
    // Volumes stay mounted: containers may use them.
  }
}

async function rclone(...words: readonly string[]): Promise<void> {
  try {
    await run('rclone', words)
  } catch (error) {
    throw new UnavailableError(`rclone cannot: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
