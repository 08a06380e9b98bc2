import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, NotSupportedError } from '../../base/errors.ts'
import { attachLoop } from '../../linux/loop.ts'
import { unmount } from '../../linux/mount.ts'
import { isMountpoint } from '../../linux/mountinfo.ts'
import { exists } from '../../state/listing.ts'
import { DATA } from '../folder-layout.ts'
import { label } from '../label.ts'
import type { KeptVolume, VolumeKeeping } from '../volume-keeping.ts'
import type { VolumeUsage } from '../volume-usage.ts'
import { thawAll } from './at-rest.ts'
import {
  type ImageFilesystem,
  makeFilesystem,
  mountOptionsOf,
  requireTools,
} from './image-filesystem.ts'
import { refuseTooSmall, wholePages } from './image-size.ts'
import { imageUsage } from './image-usage.ts'
import * as layout from './layout.ts'
import { LoopCopying } from './loop-copying.ts'
import { mountGrowing } from './loop-growth.ts'
import { createImage, imageIn, imagePath } from './loop-image.ts'
import { LoopResizing } from './loop-resizing.ts'
import { mountImage } from './mount-image.ts'

/** What a volume has that is given no capacity, in a store that names none. */
const DEFAULT_CAPACITY = 10 * 1024 ** 3

export interface LoopKeepingOptions {
  /** The capacity of volumes that are given none. */
  readonly capacity?: number | undefined
  /** What new images hold; ext4 if absent. */
  readonly filesystem?: ImageFilesystem | undefined
  /** Whether new images take their room on disk at once; if not, as they fill. */
  readonly reserve?: boolean | undefined
}

/** Volumes as filesystems of their own, each in a file on a loop device. */
export class LoopKeeping implements VolumeKeeping {
  readonly kind = layout.FORMAT.kind
  readonly edition = layout.FORMAT.edition
  readonly capacity = true
  readonly defaultCapacity: number
  readonly copying: LoopCopying
  readonly resizing: LoopResizing
  readonly mounting = 'while held'
  readonly #filesystem: ImageFilesystem
  readonly #reserved: boolean

  private constructor(options: LoopKeepingOptions, copying: LoopCopying) {
    const { capacity, filesystem = 'ext4', reserve: reserved = false } = options
    this.defaultCapacity = capacity ?? DEFAULT_CAPACITY
    this.#filesystem = filesystem
    this.#reserved = reserved
    this.copying = copying
    this.resizing = new LoopResizing({ filesystem, reserved, copying })
  }

  static async open(
    store: string,
    options: LoopKeepingOptions = {},
  ): Promise<LoopKeeping> {
    await requireTools(options.filesystem ?? 'ext4')
    if (!(await exists('/dev/loop-control'))) {
      throw new NotSupportedError(
        'This machine has no loop devices: load the kernel module "loop", or show "/dev/loop-control" in the container',
      )
    }
    await thawAll(store)
    const reserved = options.reserve ?? false
    const copying = await LoopCopying.open(store, { reserved })
    return new LoopKeeping(options, copying)
  }

  async make({ name, directory, capacity }: KeptVolume): Promise<void> {
    await fs.mkdir(join(directory, DATA), { mode: 0o755 })
    const filesystem = this.#filesystem
    const bytes = wholePages(capacity ?? this.defaultCapacity)
    refuseTooSmall(bytes, filesystem)
    const image = imagePath(directory, filesystem)
    await createImage(image, { bytes, reserved: this.#reserved })
    await makeFilesystem(filesystem, image, label(name))
    await syncFile(image)
  }

  async show({ directory }: KeptVolume): Promise<void> {
    const data = join(directory, DATA)
    if (!(await isMountpoint(data))) await this.#mount(directory, data)
    // Also where it was mounted by a process that was killed before it came to this.
    await removeLostAndFound(data)
  }

  async hide(directory: string): Promise<void> {
    const data = join(directory, DATA)
    if (await isMountpoint(data)) await unmount(data)
  }

  async usage(directory: string): Promise<VolumeUsage> {
    const data = join(directory, DATA)
    const mounted = (await isMountpoint(data))
      ? await fs.statfs(data)
      : undefined
    return imageUsage(await imageIn(directory), mounted)
  }

  async erase(): Promise<void> {}

  async #mount(directory: string, data: string): Promise<void> {
    const { path: file, filesystem } = await imageIn(directory)
    await using device = await attachLoop(file, { directIo: true })
    const options = [...mountOptionsOf(filesystem)]
    // What is deleted in the volume is given back to the disk.
    if (!this.#reserved) options.push('discard')
    const { path } = device
    await mountGrowing(directory, { path, filesystem }, () =>
      mountImage({ type: filesystem, source: path, options }, data),
    )
  }
}

/** An empty volume must be empty. A check of the filesystem makes it anew at need. */
async function removeLostAndFound(data: string): Promise<void> {
  try {
    await fs.rmdir(join(data, 'lost+found'))
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTEMPTY', 'ENOTDIR')) throw error
  }
}

async function syncFile(path: string): Promise<void> {
  await using file = await fs.open(path, 'r+')
  await file.sync()
}
