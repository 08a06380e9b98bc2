import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import {
  InvalidArgumentError,
  isErrno,
  messageOf,
  NotSupportedError,
} from '../../base/errors.ts'
import { filesystemOf } from '../../linux/fs-magic.ts'
import { attachLoop, growLoop } from '../../linux/loop.ts'
import { mountLater, type MountSpec, unmount } from '../../linux/mount.ts'
import { isMountpoint, readMountInfo } from '../../linux/mountinfo.ts'
import { exists } from '../../state/listing.ts'
import { DATA } from '../folder-layout.ts'
import { label } from '../label.ts'
import type { KeptVolume, VolumeKeeping } from '../volume-keeping.ts'
import type { Ability } from '../volume-storer.ts'
import type { VolumeUsage } from '../volume-usage.ts'
import { atRest, thawAll } from './at-rest.ts'
import {
  growMounted,
  growUnmounted,
  type ImageFilesystem,
  makeFilesystem,
  mountOptionsOf,
  requireTools,
  smallestImage,
} from './image-filesystem.ts'
import { imageUsage } from './image-usage.ts'
import * as layout from './layout.ts'
import {
  canShareBlocks,
  cloneImage,
  createImage,
  imageIn,
  imagePath,
  lengthenImage,
} from './loop-image.ts'

/** What a volume has that is given no capacity, in a store that names none. */
const DEFAULT_CAPACITY = 10 * 1024 ** 3

/** Filesystems and devices are made of whole pages. */
const PAGE = 4096

export interface LoopKeepingOptions {
  /** The capacity of volumes that are given none. */
  readonly capacity?: number | undefined
  /** What new images hold; ext4 if absent. */
  readonly filesystem?: ImageFilesystem | undefined
  /** Whether new images take their room on disk at once; if not, as they fill. */
  readonly reserve?: boolean | undefined
}

/** From when on a volume has the room that it was given. */
export type Resized = 'now' | 'when it is mounted' | 'when it is mounted again'

/** Volumes as filesystems of their own, each in a file on a loop device. */
export class LoopKeeping implements VolumeKeeping {
  readonly kind = layout.FORMAT.kind
  readonly edition = layout.FORMAT.edition
  readonly capacity = true
  readonly from: Ability
  readonly mounting = 'while held'
  readonly #capacity: number
  readonly #filesystem: ImageFilesystem
  readonly #reserved: boolean

  private constructor(options: LoopKeepingOptions, from: Ability) {
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY
    this.#filesystem = options.filesystem ?? 'ext4'
    this.#reserved = options.reserve ?? false
    this.from = from
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
    return new LoopKeeping(options, await cloning(store))
  }

  async make(
    { name, directory, options }: KeptVolume,
    source?: KeptVolume,
  ): Promise<void> {
    await fs.mkdir(join(directory, DATA), { mode: 0o755 })
    if (source !== undefined) {
      await this.#clone(source.directory, directory, options.capacity)
      return
    }
    const filesystem = this.#filesystem
    const bytes = wholePages(options.capacity ?? this.#capacity)
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

  async #mount(directory: string, data: string): Promise<void> {
    const { path, filesystem } = await imageIn(directory)
    await using device = await attachLoop(path, { directIo: true })
    const options = [...mountOptionsOf(filesystem)]
    // What is deleted in the volume is given back to the disk.
    if (!this.#reserved) options.push('discard')
    const marked = await exists(join(directory, layout.GROW))
    const grown = marked && (await grewUnmounted(filesystem, device.path))
    const source = device.path
    await mountImage({ type: filesystem, source, options }, data)
    if (marked) await this.#finishGrowing(directory, { grown })
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

  /**
   * Gives the volume room for `capacity` bytes: at once where it is not mounted, or
   * can be grown while it is; otherwise when it is mounted next, which is answered.
   * The mark makes a crash in between harmless.
   *
   * @throws InvalidArgumentError for less than it has.
   */
  async resize(directory: string, capacity: number): Promise<Resized> {
    const { path, bytes: present } = await imageIn(directory)
    const bytes = wholePages(capacity)
    if (bytes < present) {
      throw new InvalidArgumentError(
        `A volume cannot shrink: it has ${present} bytes, and ${bytes} are asked for`,
      )
    }
    await fs.writeFile(join(directory, layout.GROW), '', { mode: 0o600 })
    await lengthenImage(path, { bytes, reserved: this.#reserved })
    const device = await deviceAt(join(directory, DATA))
    if (device === undefined) return 'when it is mounted'
    await growLoop(device)
    const grown = await this.#finishGrowing(directory, { grown: false })
    return grown ? 'now' : 'when it is mounted again'
  }

  async #clone(
    source: string,
    target: string,
    capacity: number | undefined,
  ): Promise<void> {
    const { path, filesystem, bytes } = await imageIn(source)
    if (capacity !== undefined && wholePages(capacity) < bytes) {
      throw new InvalidArgumentError(
        `A clone cannot be smaller than its source: that has ${bytes} bytes, and ${capacity} are asked for`,
      )
    }
    const image = imagePath(target, filesystem)
    await atRest(join(source, DATA), () => cloneImage(path, image))
    if (capacity !== undefined) await this.resize(target, capacity)
  }

  /** Answers whether the filesystem is as large as its image by now. */
  async #finishGrowing(
    directory: string,
    { grown }: { readonly grown: boolean },
  ): Promise<boolean> {
    if (!grown && !(await grewMounted(directory))) return false
    await fs.rm(join(directory, layout.GROW))
    return true
  }
}

/**
 * What fails to grow stays as large as it was, and marked: that is no reason to
 * withhold the files.
 */
async function grewUnmounted(
  filesystem: ImageFilesystem,
  device: string,
): Promise<boolean> {
  try {
    return await growUnmounted(filesystem, device)
  } catch {
    return false
  }
}

async function grewMounted(directory: string): Promise<boolean> {
  const mountpoint = join(directory, DATA)
  const { filesystem } = await imageIn(directory)
  const device = await deviceAt(mountpoint)
  if (device === undefined) return false
  try {
    await growMounted(filesystem, { device, mountpoint })
    return true
  } catch {
    return false
  }
}

async function mountImage(spec: MountSpec, data: string): Promise<void> {
  try {
    await mountLater(spec, data)
  } catch (error) {
    throw new Error(
      `The ${spec.type} image of "${data}" cannot be mounted: ${messageOf(error)}`,
      { cause: error },
    )
  }
}

async function cloning(store: string): Promise<Ability> {
  if (await canShareBlocks(store)) return true
  const filesystem = await filesystemOf(store)
  return {
    because: `"${store}" is on ${filesystem}, where a clone takes as long as its data is large`,
  }
}

function wholePages(bytes: number): number {
  return Math.ceil(bytes / PAGE) * PAGE
}

function refuseTooSmall(bytes: number, filesystem: ImageFilesystem): void {
  const smallest = smallestImage(filesystem)
  if (bytes >= smallest) return
  throw new InvalidArgumentError(
    `Capacity ${bytes} is too small: ${filesystem} needs at least ${smallest} bytes`,
  )
}

async function deviceAt(mountpoint: string): Promise<string | undefined> {
  const mounts = await readMountInfo()
  return mounts.findLast((mount) => mount.mountpoint === mountpoint)?.source
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
