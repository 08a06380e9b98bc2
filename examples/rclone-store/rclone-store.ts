import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  messageOf,
  type SimpleStore,
  UnavailableError,
  type Volume,
  type VolumeListing,
  type VolumeOptions,
} from 'stowage'
import { isMountpoint, unmount } from 'stowage/graph'
import { VolumeRecords } from 'stowage/volume'

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
  readonly #records: VolumeRecords

  private constructor({ remote, directory }: RcloneStoreOptions) {
    this.#remote = remote
    this.#records = new VolumeRecords({
      store: this.name,
      directory: join(directory, 'records'),
      mountpoint: (name) => join(directory, 'mounts', name),
    })
  }

  /** @throws UnavailableError when the remote cannot be reached. */
  static async open(options: RcloneStoreOptions): Promise<RcloneStore> {
    await rclone('mkdir', options.remote)
    return new RcloneStore(options)
  }

  create(name: string, options: VolumeOptions): Promise<Volume> {
    return this.#records.create(name, options, async () => {
      await rclone('mkdir', this.#source(name))
      // A crash may have left files of a volume of this name.
      await rclone('delete', '--rmdirs', this.#source(name))
    })
  }

  get(name: string): Promise<Volume> {
    return this.#records.get(name)
  }

  list(): Promise<VolumeListing> {
    return this.#records.list()
  }

  async mount(name: string): Promise<string> {
    const { mountpoint } = await this.get(name)
    await fs.mkdir(mountpoint, { recursive: true })
    if (!(await isMountpoint(mountpoint))) {
      const flags = ['--daemon', '--vfs-cache-mode', 'writes', '--allow-other']
      await rclone('mount', this.#source(name), mountpoint, ...flags)
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
    await this.unmount(name)
    await this.#records.remove(name, async (mountpoint) => {
      await rclone('purge', this.#source(name))
      await fs.rm(mountpoint, { recursive: true, force: true })
    })
  }

  #source(name: string): string {
    return `${this.#remote}/${name}`
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
