import * as fs from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isErrno } from '../base/errors.ts'
import {
  deleteSubvolume,
  filesystemId,
  openDirectory,
  subvolumeId,
} from './btrfs.ts'
import { ioctl, requestCode } from './ioctl.ts'

const FAMILY = 0x94
const QUOTA_CTL = requestCode('both', FAMILY, 40, 16)
const QGROUP_CREATE = requestCode('in', FAMILY, 42, 16)
const QGROUP_LIMIT = requestCode('out', FAMILY, 43, 48)
const QUOTA_RESCAN_STATUS = requestCode('out', FAMILY, 45, 64)

const QUOTA_CTL_ENABLE = 1n
const LIMIT_REFERENCED = 1n << 0n
const LIMIT_EXCLUSIVE = 1n << 1n
/** The value that lifts a limit. */
const NO_LIMIT = 2n ** 64n - 1n

const RESCAN_POLL = 20

/** What one subvolume holds, as of the last commit of the filesystem. */
export interface QuotaUsage {
  /** Bytes it can reach, shared with others or not. */
  readonly referenced: number
  /** Bytes that nobody else has. */
  readonly exclusive: number
}

/** The most that a subvolume may hold; a limit that is absent is lifted. */
export interface QuotaLimits {
  readonly referenced?: number
  readonly exclusive?: number
}

/** Whether the filesystem that `path` lies on counts what subvolumes hold. */
export async function isQuotaEnabled(path: string): Promise<boolean> {
  try {
    await fs.access(await sysDirectory(path))
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}

/**
 * Makes the filesystem count what subvolumes hold, and waits until it has counted
 * what is there already. Limits hold from then on; writing past one is EDQUOT.
 */
export async function enableQuota(path: string): Promise<void> {
  await using handle = await openDirectory(path)
  if (!(await isQuotaEnabled(path))) {
    // struct btrfs_ioctl_quota_ctl_args: u64 command, u64 status
    const control = Buffer.alloc(16)
    control.writeBigUInt64LE(QUOTA_CTL_ENABLE)
    await ioctl.later(handle.fd, QUOTA_CTL, control)
  }
  // The call that waits would take one of the few threads away for minutes.
  while (await isCounting(handle)) await pause(RESCAN_POLL)
}

/** Limits the subvolume at `path`. Quota must be enabled. */
export async function limitSubvolume(
  path: string,
  { referenced, exclusive }: QuotaLimits,
): Promise<void> {
  await using handle = await openDirectory(path)
  // struct btrfs_ioctl_qgroup_limit_args: u64 group, then u64 flags, u64 most
  // referenced, u64 most exclusive, and two more that the kernel ignores. Group 0
  // is that of the open subvolume.
  const limit = Buffer.alloc(48)
  limit.writeBigUInt64LE(LIMIT_REFERENCED | LIMIT_EXCLUSIVE, 8)
  limit.writeBigUInt64LE(limitOf(referenced), 16)
  limit.writeBigUInt64LE(limitOf(exclusive), 24)
  await ioctl.later(handle.fd, QGROUP_LIMIT, limit)
}

/** The limits of the subvolume at `path`. */
export async function subvolumeLimits(path: string): Promise<QuotaLimits> {
  const group = await groupDirectory(path)
  const referenced = await readLimit(`${group}/max_referenced`)
  const exclusive = await readLimit(`${group}/max_exclusive`)
  return {
    ...(referenced === undefined ? {} : { referenced }),
    ...(exclusive === undefined ? {} : { exclusive }),
  }
}

/** What the subvolume at `path` holds. Quota must be enabled. */
export async function subvolumeUsage(path: string): Promise<QuotaUsage> {
  const group = await groupDirectory(path)
  const [referenced, exclusive] = await Promise.all([
    readNumber(`${group}/referenced`),
    readNumber(`${group}/exclusive`),
  ])
  return { referenced, exclusive }
}

/**
 * Deletes the subvolume at `path`, all that are nested in it, and its account. That
 * there is none is no failure.
 */
export async function discardSubvolume(path: string): Promise<void> {
  try {
    const id = await subvolumeId(path)
    await deleteSubvolume(path)
    await forgetSubvolume(dirname(path), id)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

/**
 * Forgets the account of the deleted subvolume `id` of the filesystem at `path`.
 * Newer kernels do so themselves once they have freed its space, and refuse until
 * then; all the same to us.
 */
async function forgetSubvolume(path: string, id: bigint): Promise<void> {
  await using handle = await openDirectory(path)
  // struct btrfs_ioctl_qgroup_create_args: u64 create, or 0 to remove; u64 group
  const remove = Buffer.alloc(16)
  remove.writeBigUInt64LE(id, 8)
  try {
    await ioctl.later(handle.fd, QGROUP_CREATE, remove)
  } catch (error) {
    if (!isErrno(error, 'EBUSY', 'ENOENT', 'ENOTCONN', 'EINVAL')) throw error
  }
}

/** struct btrfs_ioctl_quota_rescan_args: u64 flags, u64 progress, u64 reserved[6]. */
async function isCounting({ fd }: fs.FileHandle): Promise<boolean> {
  const status = Buffer.alloc(64)
  await ioctl.later(fd, QUOTA_RESCAN_STATUS, status)
  return status.readBigUInt64LE() !== 0n
}

function limitOf(bytes: number | undefined): bigint {
  return bytes === undefined ? NO_LIMIT : BigInt(bytes)
}

async function groupDirectory(path: string): Promise<string> {
  return `${await sysDirectory(path)}/0_${await subvolumeId(path)}`
}

async function sysDirectory(path: string): Promise<string> {
  return `/sys/fs/btrfs/${await filesystemId(path)}/qgroups`
}

/** The kernel shows "none" as 0 or as the largest number. */
async function readLimit(path: string): Promise<number | undefined> {
  const limit = BigInt(await fs.readFile(path, 'utf8'))
  return limit === 0n || limit === NO_LIMIT ? undefined : Number(limit)
}

async function readNumber(path: string): Promise<number> {
  return Number(await fs.readFile(path, 'utf8'))
}
