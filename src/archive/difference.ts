import { readSync } from 'node:fs'
import { closeFile } from '../linux/directory.ts'
import {
  type FileStatus,
  isDirectory,
  isFile,
  isSymlink,
} from '../linux/file-status.ts'
import { getXattr } from '../linux/xattr.ts'
import type { Found } from './lower-view.ts'

/** The one xattr that layers carry. */
export const CAPABILITY = 'security.capability'

/**
 * Whether what `now` is differs from what it `was`, as Docker sees it: in type,
 * permissions, owner or device number; but for directories in size and time; files
 * in their capability, which nothing else can have. Times of which one has no
 * nanoseconds are equal within their second, because a layer that came as a tar has
 * none.
 *
 * Docker stops there, and so misses what is written within a second, or within a
 * tick of the kernel's clock, or has its time set back. Here equal size and time
 * are where the doubt begins: a file whose inode and change time are those of the
 * other was never touched (a snapshot keeps both), nor was one that has not changed
 * since the tree was `copied`. For all others their bytes decide.
 */
export function isDifferent(
  now: Found,
  was: Found,
  copied: ChangeTime,
): boolean {
  const [a, b] = [now.status, was.status]
  if (isSameInode(a, b)) return false
  if (hasOtherMetadata(a, b)) return true
  if (isDirectory(a)) return false
  if (a.size !== b.size || !isSameTime(a, b)) return true
  if (isUntouchedSince(a, copied)) return false
  if (isFile(a) && a.size > 0) return filesDiffer(now, was)
  return isFile(a) ? capabilityDiffers(now, was) : targetDiffers(now, was)
}

/** A moment on the clock that the filesystem stamps changes with. */
export type ChangeTime = Pick<
  FileStatus,
  'changedSeconds' | 'changedNanoseconds'
>

/** For trees that nobody remembers copying. */
export const NEVER: ChangeTime = {
  changedSeconds: Number.NEGATIVE_INFINITY,
  changedNanoseconds: 0,
}

/**
 * Also across devices: every snapshot of a btrfs subvolume has its own. Nothing
 * sets a change time but the clock, so that equal ones are no forgery.
 */
function isSameInode(a: FileStatus, b: FileStatus): boolean {
  return (
    a.inode === b.inode &&
    a.changedNanoseconds === b.changedNanoseconds &&
    a.changedSeconds === b.changedSeconds &&
    a.size === b.size &&
    a.mode === b.mode
  )
}

function hasOtherMetadata(a: FileStatus, b: FileStatus): boolean {
  return (
    a.mode !== b.mode ||
    a.uid !== b.uid ||
    a.gid !== b.gid ||
    a.deviceMajor !== b.deviceMajor ||
    a.deviceMinor !== b.deviceMinor
  )
}

function isSameTime(a: FileStatus, b: FileStatus): boolean {
  return (
    a.modifiedSeconds === b.modifiedSeconds &&
    (a.modifiedNanoseconds === b.modifiedNanoseconds ||
      a.modifiedNanoseconds === 0 ||
      b.modifiedNanoseconds === 0)
  )
}

/** Strictly before it: within one tick of the clock, before and after look alike. */
function isUntouchedSince(status: FileStatus, copied: ChangeTime): boolean {
  return (
    status.changedSeconds < copied.changedSeconds ||
    (status.changedSeconds === copied.changedSeconds &&
      status.changedNanoseconds < copied.changedNanoseconds)
  )
}

function capabilityDiffers(now: Found, was: Found): boolean {
  return !isSameValue(
    getXattr(now.directory.pathTo(now.name), CAPABILITY),
    getXattr(was.directory.pathTo(was.name), CAPABILITY),
  )
}

function targetDiffers(now: Found, was: Found): boolean {
  if (!isSymlink(now.status)) return false
  return now.directory.readLink(now.name) !== was.directory.readLink(was.name)
}

/** Whether two files of equal size have other capabilities or other bytes. */
function filesDiffer(now: Found, was: Found): boolean {
  const a = now.directory.openFile(now.name)
  const b = was.directory.openFile(was.name)
  try {
    // Gone or replaced since a moment ago: whatever it is now, it is different.
    if (a === undefined || b === undefined) return true
    const isSame = isSameValue(getXattr(a, CAPABILITY), getXattr(b, CAPABILITY))
    return !isSame || bytesDiffer(a, b, now.status.size)
  } finally {
    if (a !== undefined) closeFile(a)
    if (b !== undefined) closeFile(b)
  }
}

const CHUNK = 128 * 1024
const ours = Buffer.alloc(CHUNK)
const theirs = Buffer.alloc(CHUNK)

function bytesDiffer(a: number, b: number, size: number): boolean {
  for (let rest = size; rest > 0; rest -= CHUNK) {
    const wanted = Math.min(rest, CHUNK)
    const length = readSync(a, ours, 0, wanted, null)
    // One that has become shorter meanwhile is no longer the same.
    if (length !== wanted) return true
    if (readSync(b, theirs, 0, wanted, null) !== wanted) return true
    if (ours.compare(theirs, 0, wanted, 0, wanted) !== 0) return true
  }
  return false
}

function isSameValue(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b)
}
