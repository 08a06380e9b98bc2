import * as fs from 'node:fs/promises'
import { basename, join } from 'node:path'
import { InUseError, NotSupportedError } from '../../base/errors.ts'
import { isMountpoint } from '../../linux/mountinfo.ts'
import { syncDirectory } from '../../state/atomic-file.ts'
import { DATA } from '../folder-layout.ts'
import type { KeptVolume, ResizingKeeping } from '../volume-keeping.ts'
import type { Ability, Resized } from '../volume-storer.ts'
import {
  type ImageFilesystem,
  shrinkUnmounted,
  whyNotShrink,
} from './image-filesystem.ts'
import { refuseTooSmall, wholePages } from './image-size.ts'
import type { LoopCopying } from './loop-copying.ts'
import { growImage } from './loop-growth.ts'
import { imageIn, type LoopImage } from './loop-image.ts'

export interface LoopResizingOptions {
  /** The filesystem of new images. */
  readonly filesystem: ImageFilesystem
  readonly reserved: boolean
  readonly copying: LoopCopying
}

/** Capacities as the lengths of images. */
export class LoopResizing implements ResizingKeeping {
  readonly grow = true
  readonly shrink: Ability
  readonly #reserved: boolean
  readonly #copying: LoopCopying

  constructor({ filesystem, reserved, copying }: LoopResizingOptions) {
    const because = whyNotShrink(filesystem)
    this.shrink = because === undefined ? true : { because }
    this.#reserved = reserved
    this.#copying = copying
  }

  async resize(volume: KeptVolume, scratch: string): Promise<Resized> {
    const { name, directory, capacity } = volume
    const image = await imageIn(directory)
    const bytes = capacity === undefined ? image.bytes : wholePages(capacity)
    refuseTooSmall(bytes, image.filesystem)
    if (bytes >= image.bytes) {
      return growImage(directory, { bytes, reserved: this.#reserved })
    }
    const because = whyNotShrink(image.filesystem)
    if (because !== undefined) {
      throw new NotSupportedError(
        `Volume "${name}" cannot shrink, because ${because}`,
      )
    }
    if (await isMountpoint(join(directory, DATA))) {
      throw new InUseError(
        `Volume "${name}" cannot shrink while it is mounted: stop its containers`,
      )
    }
    await this.#shrink(image, bytes, { volume, scratch })
    return 'now'
  }

  /**
   * A filesystem that is being shrunk is in pieces until that is done, so it is a
   * copy that shrinks, and takes the place of the image then.
   */
  async #shrink(
    { path, filesystem }: LoopImage,
    bytes: number,
    { volume, scratch }: { volume: KeptVolume; scratch: string },
  ): Promise<void> {
    await this.#copying.copy(volume, scratch)
    const copy = join(scratch, basename(path))
    await shrinkUnmounted(filesystem, copy, bytes)
    await fs.truncate(copy, bytes)
    await using file = await fs.open(copy, 'r+')
    await file.sync()
    await fs.rename(copy, path)
    await syncDirectory(volume.directory)
  }
}
