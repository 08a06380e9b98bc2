import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import {
  frozenVolume,
  isErrno,
  messageOf,
  type SimpleStore,
  type Volume,
  VolumeExistsError,
  type VolumeListing,
  VolumeNotFoundError,
  type VolumeOptions,
  type VolumeProblem,
} from 'stowage'
import { parseVolumeOptions } from 'stowage/volume'

/** Volumes as directories: `<root>/<name>/data`, beside what is known of each. */
export class PlainStore implements SimpleStore {
  readonly name = 'default'
  readonly kind = 'plain'
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  async create(name: string, { typed }: VolumeOptions): Promise<Volume> {
    const record = { createdAt: new Date().toISOString(), typed }
    // Made aside and renamed, so that a crash leaves a whole volume or none.
    const draft = await fs.mkdtemp(join(this.#root, '.new-'))
    await fs.mkdir(join(draft, 'data'))
    await fs.writeFile(join(draft, 'volume.json'), JSON.stringify(record))
    try {
      await fs.rename(draft, join(this.#root, name))
    } catch (error) {
      await fs.rm(draft, { recursive: true })
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error
      throw new VolumeExistsError(name, { cause: error })
    }
    return this.get(name)
  }

  async get(name: string): Promise<Volume> {
    const directory = join(this.#root, name)
    try {
      const text = await fs.readFile(join(directory, 'volume.json'), 'utf8')
      const { createdAt, typed } = JSON.parse(text)
      const [store, mountpoint] = [this.name, join(directory, 'data')]
      const options = parseVolumeOptions(typed)
      return frozenVolume({ name, store, createdAt, options, mountpoint })
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
      throw new VolumeNotFoundError(name, { cause: error })
    }
  }

  async list(): Promise<VolumeListing> {
    const [volumes, problems]: [Volume[], VolumeProblem[]] = [[], []]
    for (const name of await fs.readdir(this.#root)) {
      if (name.startsWith('.')) continue
      try {
        volumes.push(await this.get(name))
      } catch (error) {
        problems.push({ name, reason: messageOf(error) })
      }
    }
    return { volumes, problems }
  }

  async mount(name: string): Promise<string> {
    return (await this.get(name)).mountpoint
  }

  async unmount(): Promise<void> {
    // The directory is always there.
  }

  async remove(name: string): Promise<void> {
    await this.get(name)
    const grave = await fs.mkdtemp(join(this.#root, '.rm-'))
    await fs.rename(join(this.#root, name), join(grave, 'volume'))
    await fs.rm(grave, { recursive: true })
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}
