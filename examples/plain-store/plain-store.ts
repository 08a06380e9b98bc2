import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import type { SimpleStore, Volume, VolumeListing, VolumeOptions } from 'stowage'
import { VolumeRecords } from 'stowage/volume'

/** Volumes as directories, and beside them what each was created with. */
export class PlainStore implements SimpleStore {
  readonly name = 'default'
  readonly kind = 'plain'
  readonly #records: VolumeRecords

  constructor(root: string) {
    const directory = join(root, 'records')
    const mountpoint = (name: string) => join(root, 'volumes', name)
    this.#records = new VolumeRecords({
      store: 'default',
      directory,
      mountpoint,
    })
  }

  create(name: string, options: VolumeOptions): Promise<Volume> {
    return this.#records.create(name, options, async (path) => {
      // A crash may have left files of a volume of this name.
      await fs.rm(path, { recursive: true, force: true })
      await fs.mkdir(path, { recursive: true, mode: 0o755 })
    })
  }

  get(name: string): Promise<Volume> {
    return this.#records.get(name)
  }

  list(): Promise<VolumeListing> {
    return this.#records.list()
  }

  async mount(name: string): Promise<string> {
    return (await this.get(name)).mountpoint
  }

  remove(name: string): Promise<void> {
    return this.#records.remove(name, (path) =>
      fs.rm(path, { recursive: true }),
    )
  }
}
