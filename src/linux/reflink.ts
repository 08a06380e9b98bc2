import type { FileHandle } from 'node:fs/promises'
import { ioctl, ioctlNumber, requestCode } from './ioctl.ts'
import { declare } from './libc.ts'

const FAMILY = 0x94
const FICLONE = requestCode('in', FAMILY, 9, 4)
const FICLONERANGE = requestCode('in', FAMILY, 13, 32)

const copyFileRange = declare(
  'copy_file_range',
  ['int', 'void *', 'int', 'void *', 'size_t', 'unsigned int'],
  'long',
)

/** Bytes of a file, from `start` up to and without `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * Makes `target` hold what `source` holds by sharing its blocks, which takes no
 * space and hardly any time. What dirty data `source` has is written first.
 *
 * Fails with ENOTSUP or ENOTTY where the filesystem cannot share blocks, and
 * with EXDEV between filesystems.
 */
export async function reflink(
  source: FileHandle,
  target: FileHandle,
): Promise<void> {
  await ioctlNumber.later(target.fd, FICLONE, source.fd)
}

/**
 * Like {@link reflink} for a part, which lands at the same place. Both ends of the
 * range lie on block boundaries, or at the end of `source`.
 */
export async function reflinkRange(
  source: FileHandle,
  target: FileHandle,
  { start, end }: ByteRange,
): Promise<void> {
  // struct file_clone_range: s64 source, u64 offset, u64 length, u64 target offset
  const range = Buffer.alloc(32)
  range.writeBigInt64LE(BigInt(source.fd), 0)
  range.writeBigUInt64LE(BigInt(start), 8)
  range.writeBigUInt64LE(BigInt(end - start), 16)
  range.writeBigUInt64LE(BigInt(start), 24)
  await ioctl.later(target.fd, FICLONERANGE, range)
}

/** The most that one call copies, so that a thread is not gone for long. */
const COPY_STEP = 64 * 1024 * 1024

/**
 * Copies a part of `source` to the same place in `target` inside the kernel, or
 * in the filesystem, which may share the blocks.
 */
export async function copyRange(
  source: FileHandle,
  target: FileHandle,
  { start, end }: ByteRange,
): Promise<void> {
  const from = Buffer.alloc(8)
  const to = Buffer.alloc(8)
  for (let position = start; position < end;) {
    from.writeBigInt64LE(BigInt(position))
    to.writeBigInt64LE(BigInt(position))
    const step = Math.min(end - position, COPY_STEP)
    const copied = await copyFileRange.later(
      source.fd,
      from,
      target.fd,
      to,
      step,
      0,
    )
    // The source became shorter meanwhile; there is no more.
    if (copied === 0) return
    position += copied
  }
}
