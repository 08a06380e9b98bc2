import { constants } from 'node:fs'
import { cPath, declare, type PathBytes, systemError } from './libc.ts'

const AT_FDCWD = -100
const AT_SYMLINK_NOFOLLOW = 0x100
const AT_EMPTY_PATH = 0x1000
const AT_STATX_DONT_SYNC = 0x4000
const BASIC_STATS = 0x7ff
const STATX_ATTR_MOUNT_ROOT = 0x2000

const statx = declare('statx', [
  'int',
  'const char *',
  'int',
  'unsigned int',
  'void *',
])

/** What statx(2) tells of a file. Times are in two parts, as it has them. */
export interface FileStatus {
  /** The bits of the type, and those of the permissions. */
  readonly mode: number
  readonly links: number
  readonly uid: number
  readonly gid: number
  readonly inode: bigint
  readonly size: number
  /** What it takes on disk, in blocks of 512 bytes. */
  readonly blocks: number
  readonly changedSeconds: number
  readonly changedNanoseconds: number
  readonly modifiedSeconds: number
  readonly modifiedNanoseconds: number
  /** The device that the file is. */
  readonly deviceMajor: number
  readonly deviceMinor: number
  /** Whether something is mounted here, and this is the root of that. */
  readonly isMountRoot: boolean
  /** The device that the file lies on. */
  readonly onMajor: number
  readonly onMinor: number
}

const EMPTY = Buffer.alloc(1)

// One structure for all calls: they are synchronous, and a thread has its own.
const raw = new ArrayBuffer(256)
const struct = Buffer.from(raw)
const u16 = new Uint16Array(raw)
const u32 = new Uint32Array(raw)
const i32 = new Int32Array(raw)
const u64 = new BigUint64Array(raw)

/**
 * The status of `name` in the open directory `directory`, itself if it is a link.
 * A negated errno where there is none: asking for what is not there is common.
 */
export function statusAt(directory: number, name: Buffer): FileStatus | number {
  return lookedUp(directory, name, AT_SYMLINK_NOFOLLOW)
}

/**
 * The same, but of the root of a filesystem that has a server only what the kernel
 * knows already: the server may not answer.
 */
export function knownStatusAt(
  directory: number,
  name: Buffer,
): FileStatus | number {
  return lookedUp(directory, name, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC)
}

function lookedUp(
  directory: number,
  name: Buffer,
  flags: number,
): FileStatus | number {
  const answer = statx.attempt(directory, name, flags, BASIC_STATS, struct)
  return answer < 0 ? answer : read()
}

/** The status of `path`, itself if it is a link. */
export function statusOfPath(path: PathBytes): FileStatus {
  const status = statusAt(AT_FDCWD, cPath(path))
  if (typeof status !== 'number') return status
  throw systemError(-status, 'statx', [path.toString()])
}

/** The status of what is open as `descriptor`. */
export function statusOf(descriptor: number): FileStatus {
  statx(descriptor, EMPTY, AT_EMPTY_PATH, BASIC_STATS, struct)
  return read()
}

export function isFile({ mode }: FileStatus): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFREG
}

export function isDirectory({ mode }: FileStatus): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFDIR
}

export function isSymlink({ mode }: FileStatus): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFLNK
}

export function isCharacterDevice({ mode }: FileStatus): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFCHR
}

export function onSameDevice(one: FileStatus, other: FileStatus): boolean {
  return one.onMajor === other.onMajor && one.onMinor === other.onMinor
}

/** Reads by index, which is the offset in the structure over the width. */
function read(): FileStatus {
  return {
    mode: u16[14] ?? 0,
    isMountRoot: ((u32[2] ?? 0) & STATX_ATTR_MOUNT_ROOT) !== 0,
    links: u32[4] ?? 0,
    uid: u32[5] ?? 0,
    gid: u32[6] ?? 0,
    inode: u64[4] ?? 0n,
    size: wide(u32[11] ?? 0, u32[10] ?? 0),
    blocks: wide(u32[13] ?? 0, u32[12] ?? 0),
    changedSeconds: wide(i32[25] ?? 0, u32[24] ?? 0),
    changedNanoseconds: u32[26] ?? 0,
    modifiedSeconds: wide(i32[29] ?? 0, u32[28] ?? 0),
    modifiedNanoseconds: u32[30] ?? 0,
    deviceMajor: u32[32] ?? 0,
    deviceMinor: u32[33] ?? 0,
    onMajor: u32[34] ?? 0,
    onMinor: u32[35] ?? 0,
  }
}

/** 64 bits as a number: sizes and times are far below its 53. */
function wide(high: number, low: number): number {
  return high * 0x1_0000_0000 + low
}
