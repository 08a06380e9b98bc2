import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, NotFoundError } from '../../base/errors.ts'
import { reserve } from '../../linux/fallocate.ts'
import { dataRanges } from '../../linux/data-ranges.ts'
import { type ByteRange, copyRange, reflink } from '../../linux/reflink.ts'
import { type ImageFilesystem, isImageFilesystem } from './image-filesystem.ts'
import * as layout from './layout.ts'

/** Bytes that are copied between two looks at the clock. */
const COPY_STEP = 16 * 1024 * 1024

/** The file that holds a volume's filesystem. */
export interface LoopImage {
  readonly path: string
  readonly filesystem: ImageFilesystem
  readonly bytes: number
}

export interface NewImage {
  readonly bytes: number
  /** Whether its room on disk is taken at once, or as it is filled. */
  readonly reserved: boolean
}

/** @throws NotFoundError when the volume in `directory` has none. */
export async function imageIn(directory: string): Promise<LoopImage> {
  for (const name of await fs.readdir(directory)) {
    if (!name.startsWith(layout.IMAGE_PREFIX)) continue
    const filesystem = name.slice(layout.IMAGE_PREFIX.length)
    if (!isImageFilesystem(filesystem)) continue
    const path = join(directory, name)
    return { path, filesystem, bytes: (await fs.stat(path)).size }
  }
  throw new NotFoundError(`"${directory}" has lost its image`)
}

export function imagePath(
  directory: string,
  filesystem: ImageFilesystem,
): string {
  return join(directory, layout.IMAGE_PREFIX + filesystem)
}

/** Makes a file of zeros, for a filesystem to be made in. */
export async function createImage(
  path: string,
  { bytes, reserved }: NewImage,
): Promise<void> {
  await using file = await fs.open(path, 'wx', 0o600)
  if (reserved) await reserve(file, bytes)
  else await file.truncate(bytes)
}

/** Makes the image at `path` longer. Answers whether it was shorter. */
export async function lengthenImage(
  path: string,
  { bytes, reserved }: NewImage,
): Promise<boolean> {
  await using file = await fs.open(path, 'r+')
  if ((await file.stat()).size >= bytes) return false
  if (reserved) await reserve(file, bytes)
  else await file.truncate(bytes)
  await file.sync()
  return true
}

/** Makes `target` a copy of `source` that shares its blocks. */
export async function cloneImage(
  source: string,
  target: string,
): Promise<void> {
  await using from = await fs.open(source, 'r')
  await using to = await fs.open(target, 'wx', 0o600)
  await reflink(from, to)
  await to.sync()
}

/**
 * Makes `target` a copy of `source` with blocks of its own. Holes stay holes.
 *
 * It goes in steps, so that none of the few threads is gone for long, and ends
 * between two of them when `signal` says so.
 */
export async function copyImage(
  source: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  await using from = await fs.open(source, 'r')
  await using to = await fs.open(target, 'wx', 0o600)
  await to.truncate((await from.stat()).size)
  for await (const range of dataRanges(from)) {
    for (const step of stepsOf(range)) {
      signal.throwIfAborted()
      await copyRange(from, to, step)
    }
  }
  await to.sync()
}

function* stepsOf({ start, end }: ByteRange): Generator<ByteRange> {
  for (let position = start; position < end; position += COPY_STEP) {
    yield { start: position, end: Math.min(position + COPY_STEP, end) }
  }
}

/** Whether files in `directory` can share blocks. */
export async function canShareBlocks(directory: string): Promise<boolean> {
  const probe = await fs.mkdtemp(join(directory, 'new-'))
  try {
    await fs.writeFile(join(probe, 'a'), 'probe', { mode: 0o600 })
    await cloneImage(join(probe, 'a'), join(probe, 'b'))
    return true
  } catch (error) {
    if (isErrno(error, 'ENOTSUP', 'ENOTTY', 'EINVAL', 'EXDEV')) return false
    throw error
  } finally {
    await fs.rm(probe, { recursive: true, force: true })
  }
}
