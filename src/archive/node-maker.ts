import * as fs from 'node:fs'
import { InvalidArgumentError } from '../base/errors.ts'
import { setTimes, wholeSeconds } from '../linux/file-times.ts'
import { mknod, type SpecialType } from '../linux/mknod.ts'
import { getXattr, removeXattr, setXattr } from '../linux/xattr.ts'
import { type PathString, toFsPath } from './path-bytes.ts'
import type { TarEntry } from './tar/tar-entry.ts'

const ACCESS_ACL = 'system.posix_acl_access'
const MAX_MAJOR = 0xfff
const MAX_MINOR = 0xfffff
/** What a directory hands down to what is made in it. */
export const DEFAULT_ACL = 'system.posix_acl_default'
const SET_ID_BITS = 0o6000
/** New files are opened so: never an existing one, never through a link. */
export const NEW_FILE =
  fs.constants.O_WRONLY |
  fs.constants.O_CREAT |
  fs.constants.O_EXCL |
  fs.constants.O_NOFOLLOW

/** What a thing has apart from its content, with the host's owners. */
export interface Attributes {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: bigint
  readonly xattrs: ReadonlyMap<string, Buffer>
}

/** What a new thing has before anybody gives it anything. */
export interface Born {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

/** How things turn out that are made in a directory and not told otherwise. */
export interface Birth {
  readonly uid: number
  readonly gid: number
  /** Bits that are taken from the mode. */
  readonly umask: number
  /** The directory hands down its group or its ACL. */
  readonly inherits: boolean
}

/** Gives an open file, just made as `path`, its attributes. */
export function dressFile(
  descriptor: number,
  path: PathString,
  wanted: Attributes,
  birth: Birth,
): void {
  const { mode, uid, gid, mtime, xattrs } = wanted
  const isOwner = isBornTo(wanted, birth)
  if (birth.inherits) shedInherited(path)
  if (!isOwner) fs.fchownSync(descriptor, uid, gid)
  dressXattrs(path, xattrs)
  // chown(2) clears setuid and setgid, and so does an unprivileged write.
  const isExact = isOwner && (mode & (birth.umask | SET_ID_BITS)) === 0
  if (!isExact || birth.inherits) fs.fchmodSync(descriptor, mode)
  const seconds = wholeSeconds(mtime)
  if (seconds === undefined) setTimes(toFsPath(path), mtime, mtime)
  else fs.futimesSync(descriptor, seconds, seconds)
}

/**
 * Gives `path` itself, which is no file just made, its attributes; what it was
 * `born` with is not given again.
 */
export function dress(
  path: PathString,
  wanted: Attributes,
  {
    isSymlink = false,
    born,
  }: { isSymlink?: boolean; born?: Born | undefined } = {},
): void {
  const target = toFsPath(path)
  const { mode, uid, gid, mtime, xattrs } = wanted
  if (uid !== born?.uid || gid !== born.gid) fs.lchownSync(target, uid, gid)
  dressXattrs(path, xattrs)
  // An ACL changes the mode.
  const isExact = mode === born?.mode && xattrs.size === 0
  if (!isSymlink && !isExact) fs.chmodSync(target, mode)
  setTimes(target, mtime, mtime)
}

/**
 * Makes the device or the FIFO of an entry.
 *
 * @throws InvalidArgumentError for a device that Linux has no number for.
 */
export function makeSpecial(path: PathString, entry: TarEntry): void {
  const { devMajor: major, devMinor: minor } = entry
  if (major > MAX_MAJOR || minor > MAX_MINOR) {
    throw new InvalidArgumentError(`There is no device ${major}:${minor}`)
  }
  mknod(toFsPath(path), specialTypeOf(entry), 0o600, { major, minor })
}

/** Whether the directory at `path` hands its group or an ACL down. */
export function handsDown(path: PathString): boolean {
  const target = toFsPath(path)
  const isSetGid = (fs.statSync(target).mode & 0o2000) !== 0
  return isSetGid || getXattr(target, DEFAULT_ACL) !== undefined
}

/** Takes from `path` the ACLs that its directory hands down. */
export function shedInherited(path: PathString): void {
  const target = toFsPath(path)
  for (const acl of [ACCESS_ACL, DEFAULT_ACL]) {
    if (getXattr(target, acl) !== undefined) removeXattr(target, acl)
  }
}

function specialTypeOf({ type }: TarEntry): SpecialType {
  if (type === 'fifo') return 'fifo'
  return type === 'block-device' ? 'block' : 'character'
}

function isBornTo({ uid, gid }: Attributes, birth: Birth): boolean {
  return uid === birth.uid && gid === birth.gid && !birth.inherits
}

export function dressXattrs(
  path: PathString,
  xattrs: ReadonlyMap<string, Buffer>,
): void {
  for (const [name, value] of xattrs) {
    setXattr(toFsPath(path), Buffer.from(name, 'latin1'), value)
  }
}
