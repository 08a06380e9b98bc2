import * as fs from 'node:fs/promises'
import { basename, join } from 'node:path'
import { InUseError, InvalidArgumentError } from '../../base/errors.ts'
import { filesystemOf } from '../../linux/fs-magic.ts'
import { isMountpoint } from '../../linux/mountinfo.ts'
import { syncDirectory } from '../../state/atomic-file.ts'
import type { CopyOptions } from '../copy-options.ts'
import { DATA } from '../folder-layout.ts'
import type { CopyingKeeping, KeptVolume } from '../volume-keeping.ts'
import type { Ability } from '../volume-storer.ts'
import { atRest } from './at-rest.ts'
import { wholePages } from './image-size.ts'
import { growImage, markToGrow } from './loop-growth.ts'
import {
  canShareBlocks,
  cloneImage,
  copyImage,
  imageIn,
  type LoopImage,
} from './loop-image.ts'
import { mountReadonly } from './mount-image.ts'

/**
 * Copies of images. Where the store's filesystem shares blocks between files, they
 * are made at once, and writers hardly notice; elsewhere byte by byte.
 */
export class LoopCopying implements CopyingKeeping {
  readonly atOnce: Ability
  readonly live: Ability
  readonly pause = true
  readonly #reserved: boolean
  readonly #sharesBlocks: boolean

  private constructor(sharesBlocks: Ability, reserved: boolean) {
    this.atOnce = sharesBlocks
    this.live = sharesBlocks
    this.#sharesBlocks = sharesBlocks === true
    this.#reserved = reserved
  }

  /** Finds out what the filesystem of the directory `store` can do. */
  static async open(
    store: string,
    { reserved }: { readonly reserved: boolean },
  ): Promise<LoopCopying> {
    return new LoopCopying(await sharing(store), reserved)
  }

  async clone(
    { directory, capacity }: KeptVolume,
    source: KeptVolume,
    options: CopyOptions,
  ): Promise<void> {
    const { bytes } = await imageIn(source.directory)
    const wanted = capacity === undefined ? bytes : wholePages(capacity)
    if (wanted < bytes) {
      throw new InvalidArgumentError(
        `A clone cannot be smaller than its source: that has ${bytes} bytes, and ${wanted} are asked for`,
      )
    }
    await this.copy(source, directory, options)
    if (wanted > bytes) {
      await growImage(directory, { bytes: wanted, reserved: this.#reserved })
    }
  }

  async copy(
    source: KeptVolume,
    directory: string,
    { pause = false }: CopyOptions = {},
  ): Promise<void> {
    await fs.mkdir(join(directory, DATA), { mode: 0o755 })
    const data = join(source.directory, DATA)
    if (!this.#sharesBlocks && !pause && (await isMountpoint(data))) {
      throw new InUseError(
        `Volume "${source.name}" is mounted, and to copy it takes a while: stop its containers, or keep them waiting`,
      )
    }
    const image = await imageIn(source.directory)
    await atRest(data, (signal) => this.#copyImage(image, directory, signal))
  }

  async showCopy(directory: string): Promise<void> {
    await mountReadonly(await imageIn(directory), join(directory, DATA))
  }

  async restore(
    { name, directory, capacity }: KeptVolume,
    copy: string,
    scratch: string,
  ): Promise<void> {
    const image = await imageIn(copy)
    const present = await imageIn(directory)
    const bytes = capacity === undefined ? present.bytes : wholePages(capacity)
    if (image.bytes > bytes) {
      throw new InvalidArgumentError(
        `Volume "${name}" has ${bytes} bytes now and had ${image.bytes} then: grow it first`,
      )
    }
    await this.#copyImage(image, scratch, new AbortController().signal)
    if (image.bytes < bytes) {
      await growImage(scratch, { bytes, reserved: this.#reserved })
      await markToGrow(directory)
    }
    await fs.rename(join(scratch, basename(image.path)), present.path)
    await syncDirectory(directory)
  }

  async #copyImage(
    { path }: LoopImage,
    directory: string,
    signal: AbortSignal,
  ): Promise<void> {
    const target = join(directory, basename(path))
    if (this.#sharesBlocks) await cloneImage(path, target)
    else await copyImage(path, target, signal)
  }
}

async function sharing(store: string): Promise<Ability> {
  if (await canShareBlocks(store)) return true
  const filesystem = await filesystemOf(store)
  return {
    because: `"${store}" is on ${filesystem}, where a copy takes as long as its data is large`,
  }
}
