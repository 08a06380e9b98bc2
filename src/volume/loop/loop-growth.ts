import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { growLoop } from '../../linux/loop.ts'
import { readMountInfo } from '../../linux/mountinfo.ts'
import { exists } from '../../state/listing.ts'
import { DATA } from '../folder-layout.ts'
import type { Resized } from '../volume-storer.ts'
import {
  growMounted,
  growUnmounted,
  type ImageFilesystem,
} from './image-filesystem.ts'
import * as layout from './layout.ts'
import { imageIn, lengthenImage, type NewImage } from './loop-image.ts'

/**
 * Gives the volume in `directory` room for `bytes`: at once where it can be grown
 * while it is mounted; otherwise when it is mounted next, which is answered. A mark
 * says so meanwhile, which makes a crash in between harmless.
 */
export async function growImage(
  directory: string,
  image: NewImage,
): Promise<Resized> {
  const { path } = await imageIn(directory)
  await markToGrow(directory)
  await lengthenImage(path, image)
  const device = await deviceAt(join(directory, DATA))
  if (device === undefined) return 'when it is mounted'
  await growLoop(device)
  if (!(await grewMounted(directory))) return 'when it is mounted again'
  await fs.rm(join(directory, layout.GROW))
  return 'now'
}

/** Has the filesystem of the volume in `directory` grow when it is mounted next. */
export async function markToGrow(directory: string): Promise<void> {
  await fs.writeFile(join(directory, layout.GROW), '', { mode: 0o600 })
}

/**
 * Mounts the image of the volume in `directory` from `device`, and has its
 * filesystem grow before or after, as it can, where the image has grown.
 *
 * What fails to grow stays as large as it was, and marked: that is no reason to
 * withhold the files.
 */
export async function mountGrowing(
  directory: string,
  { path: device, filesystem }: ShownImage,
  mount: () => Promise<void>,
): Promise<void> {
  const mark = join(directory, layout.GROW)
  const isMarked = await exists(mark)
  const grew = isMarked && (await grewUnmounted(filesystem, device))
  await mount()
  if (grew || (isMarked && (await grewMounted(directory)))) await fs.rm(mark)
}

/** A device that shows an image. */
export interface ShownImage {
  readonly path: string
  readonly filesystem: ImageFilesystem
}

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

async function deviceAt(mountpoint: string): Promise<string | undefined> {
  const mounts = await readMountInfo()
  return mounts.findLast((mount) => mount.mountpoint === mountpoint)?.source
}
