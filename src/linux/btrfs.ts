import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { isErrno } from '../base/errors.ts'
import { ROOT_TREE, searchTreeLater, U64_MAX } from './btrfs-search.ts'
import { FsMagic } from './fs-magic.ts'
import { ioctl, ioctlNumber, requestCode } from './ioctl.ts'

const FAMILY = 0x94
const SYNC = requestCode('none', FAMILY, 8, 0)
const INO_LOOKUP = requestCode('both', FAMILY, 18, 4096)
const SNAP_CREATE_V2 = requestCode('in', FAMILY, 23, 4096)
const SUBVOL_CREATE_V2 = requestCode('in', FAMILY, 24, 4096)
const SUBVOL_GETFLAGS = requestCode('out', FAMILY, 25, 8)
const SUBVOL_SETFLAGS = requestCode('in', FAMILY, 26, 8)
const FS_INFO = requestCode('out', FAMILY, 31, 1024)
const GET_SUBVOL_INFO = requestCode('out', FAMILY, 60, 504)
const SNAP_DESTROY_V2 = requestCode('in', FAMILY, 63, 4096)

const SUBVOL_RDONLY = 1n << 1n
const SUBVOL_SPEC_BY_ID = 1n << 4n

/** The inode number of every subvolume's root directory. */
const FIRST_FREE_OBJECTID = 256
const ROOT_REF = 156

/** Whether `path` is the root of a subvolume. Any filesystem but btrfs says no. */
export async function isSubvolume(path: string): Promise<boolean> {
  const [stat, { type }] = await Promise.all([fs.lstat(path), fs.statfs(path)])
  return (
    type >>> 0 === FsMagic.btrfs &&
    stat.isDirectory() &&
    stat.ino === FIRST_FREE_OBJECTID
  )
}

/** Makes an empty subvolume at `path`, its root directory ours and of `mode`. */
export async function createSubvolume(
  path: string,
  mode = 0o755,
): Promise<void> {
  await using parent = await openDirectory(dirname(path))
  const args = volArgs({ name: basename(path) })
  await ioctl.later(parent.fd, SUBVOL_CREATE_V2, args)
  await fs.chmod(path, mode)
}

export interface SnapshotOptions {
  readonly readonly?: boolean
}

/**
 * Makes `path` show what the subvolume `source` shows now, at once and whatever
 * its size. Subvolumes within `source` are empty directories in it.
 */
export async function snapshotSubvolume(
  source: string,
  path: string,
  { readonly = false }: SnapshotOptions = {},
): Promise<void> {
  await using from = await openDirectory(source)
  await using parent = await openDirectory(dirname(path))
  const args = volArgs({
    name: basename(path),
    fd: from.fd,
    flags: readonly ? SUBVOL_RDONLY : 0n,
  })
  await ioctl.later(parent.fd, SNAP_CREATE_V2, args)
}

export async function isReadonly(subvolume: string): Promise<boolean> {
  await using handle = await openDirectory(subvolume)
  return ((await readFlags(handle)) & SUBVOL_RDONLY) !== 0n
}

/** Makes a subvolume refuse all writes with EROFS, or accept them again. */
export async function setReadonly(
  subvolume: string,
  readonly: boolean,
): Promise<void> {
  await using handle = await openDirectory(subvolume)
  const flags = await readFlags(handle)
  const wanted = readonly ? flags | SUBVOL_RDONLY : flags & ~SUBVOL_RDONLY
  if (wanted === flags) return
  const argument = Buffer.alloc(8)
  argument.writeBigUInt64LE(wanted)
  await ioctl.later(handle.fd, SUBVOL_SETFLAGS, argument)
}

/**
 * Deletes a subvolume and all that are nested in it, read-only ones too. The
 * names are gone at once; the kernel frees the space in its own time.
 *
 * Nested ones are found and deleted by number, so whoever writes in there cannot
 * lead us elsewhere by swapping a directory for a link.
 */
export async function deleteSubvolume(path: string): Promise<void> {
  await setReadonly(path, false)
  await using handle = await openDirectory(path)
  await deleteWithNested(handle, await idOf(handle))
}

/** The number of the subvolume that `path` lies in; it is never used again. */
export async function subvolumeId(path: string): Promise<bigint> {
  await using handle = await openDirectory(path)
  return await idOf(handle)
}

/** The numbers of the subvolumes that lie directly in the one at `path`. */
export async function nestedSubvolumes(
  path: string,
): Promise<readonly bigint[]> {
  await using handle = await openDirectory(path)
  return await childrenOf(handle, await idOf(handle))
}

/** What the filesystem remembers of a subvolume's descent. */
export interface SubvolumeHistory {
  readonly id: string
  /** The id of what it is a snapshot of; zeros if it is none. */
  readonly source: string
  /** The generation of its last change. */
  readonly changed: bigint
  /** The generation it was made in. What was changed in a snapshot is younger. */
  readonly made: bigint
}

export async function subvolumeHistory(
  path: string,
): Promise<SubvolumeHistory> {
  await using handle = await openDirectory(path)
  // struct btrfs_ioctl_get_subvol_info_args: at 296 its UUID, at 312 its source's,
  // at 344 the u64 ctransid and otransid.
  const info = Buffer.alloc(504)
  await ioctl.later(handle.fd, GET_SUBVOL_INFO, info)
  return {
    id: info.toString('hex', 296, 312),
    source: info.toString('hex', 312, 328),
    changed: info.readBigUInt64LE(344),
    made: info.readBigUInt64LE(352),
  }
}

/** Writes the whole filesystem that `path` lies on to disk. */
export async function syncFilesystem(path: string): Promise<void> {
  await using handle = await openDirectory(path)
  await ioctlNumber.later(handle.fd, SYNC, 0)
}

/** The filesystem's UUID, by which /sys/fs/btrfs knows it. */
export async function filesystemId(path: string): Promise<string> {
  await using handle = await openDirectory(path)
  // struct btrfs_ioctl_fs_info_args: u64 max_id, u64 devices, u8 fsid[16], …
  const info = Buffer.alloc(1024)
  await ioctl.later(handle.fd, FS_INFO, info)
  return info
    .toString('hex', 16, 32)
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** Opens a directory, and never what a link points to. */
export function openDirectory(path: string): Promise<fs.FileHandle> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
  return fs.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
}

async function readFlags({ fd }: fs.FileHandle): Promise<bigint> {
  const flags = Buffer.alloc(8)
  await ioctl.later(fd, SUBVOL_GETFLAGS, flags)
  return flags.readBigUInt64LE()
}

/** struct btrfs_ioctl_ino_lookup_args: u64 tree, u64 objectid, char name[4080]. */
async function idOf({ fd }: fs.FileHandle): Promise<bigint> {
  const lookup = Buffer.alloc(4096)
  lookup.writeBigUInt64LE(BigInt(FIRST_FREE_OBJECTID), 8)
  await ioctl.later(fd, INO_LOOKUP, lookup)
  return lookup.readBigUInt64LE(0)
}

async function deleteWithNested(
  within: fs.FileHandle,
  id: bigint,
): Promise<void> {
  for (const child of await childrenOf(within, id)) {
    await deleteWithNested(within, child)
  }
  const args = volArgs({ id, flags: SUBVOL_SPEC_BY_ID })
  try {
    await ioctl.later(within.fd, SNAP_DESTROY_V2, args)
  } catch (error) {
    // Deleted by somebody else since we looked.
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

/** References in the tree of roots have the keys (parent, ROOT_REF, child). */
async function childrenOf(
  { fd }: fs.FileHandle,
  parent: bigint,
): Promise<readonly bigint[]> {
  const from = { objectId: parent, type: ROOT_REF, offset: 0n }
  const to = { ...from, offset: U64_MAX }
  const children: bigint[] = []
  for await (const item of searchTreeLater(fd, { tree: ROOT_TREE, from, to })) {
    children.push(item.offset)
  }
  return children
}

interface VolArgs {
  readonly name?: string
  readonly fd?: number
  readonly flags?: bigint
  readonly id?: bigint
}

/**
 * struct btrfs_ioctl_vol_args_v2: s64 fd, u64 transid, u64 flags, u64 unused[4],
 * and a name of at most 4039 bytes, or a u64 subvolume id.
 */
function volArgs({ name = '', fd = 0, flags = 0n, id = 0n }: VolArgs): Buffer {
  const args = Buffer.alloc(4096)
  args.writeBigInt64LE(BigInt(fd), 0)
  args.writeBigUInt64LE(flags, 16)
  if (name === '') args.writeBigUInt64LE(id, 56)
  else args.write(name, 56)
  return args
}
