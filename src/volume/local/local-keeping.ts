import type { VolumeKeeping } from '../volume-keeping.ts'
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

  async show(): Promise<void> {}

  async hide(): Promise<void> {}

  async erase(): Promise<void> {}
}
