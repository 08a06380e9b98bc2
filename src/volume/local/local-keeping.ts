import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { DATA } from '../folder-layout.ts'
import type { KeptVolume, VolumeKeeping } from '../volume-keeping.ts'
import { setAttributes } from '../volume-root.ts'
import { FORMAT } from './layout.ts'
import { LocalCopying } from './local-copying.ts'

const UNLIMITED = { because: 'a plain directory cannot be kept from growing' }

/** Volumes as plain directories, on whatever filesystem they are. */
export class LocalKeeping implements VolumeKeeping {
  readonly kind = FORMAT.kind
  readonly edition = FORMAT.edition
  readonly capacity = UNLIMITED
  readonly copying = new LocalCopying()
  readonly resizing = UNLIMITED
  readonly adopts = true
  readonly mounting = 'never'

  async make({ directory, options }: KeptVolume): Promise<void> {
    const data = join(directory, DATA)
    await fs.mkdir(data, { mode: 0o755 })
    await setAttributes(data, options)
  }

  async show(): Promise<void> {}

  async hide(): Promise<void> {}

  async erase(): Promise<void> {}
}
