import * as fs from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { isErrno } from '../base/errors.ts'
import { type MountInfo, readMountInfo } from './mountinfo.ts'

/** Filesystems that the kernel asks nobody else about. All others have a server. */
const LOCAL: ReadonlySet<string> = new Set([
  'bcachefs',
  'btrfs',
  'ext2',
  'ext3',
  'ext4',
  'f2fs',
  'jfs',
  'overlay',
  'ramfs',
  'rootfs',
  'tmpfs',
  'xfs',
  'zfs',
])

/** As many links as the kernel follows. */
const MOST_LINKS = 40

/**
 * Whether `path` lies on a filesystem whose server may stop answering: FUSE, NFS
 * and the like. It is found out without touching that filesystem, which might hang.
 */
export async function mayHang(path: string): Promise<boolean> {
  const mounts = await readMountInfo()
  let links = 0
  let at = '/'
  let rest = names(path)
  for (;;) {
    if (!LOCAL.has(typeAt(at, mounts))) return true
    const [name, ...others] = rest
    if (name === undefined || links > MOST_LINKS) return false
    const next = join(at, name)
    // What is mounted there hides whatever the name was, a link included.
    const isMounted = mounts.some(({ mountpoint }) => mountpoint === next)
    const target = isMounted ? undefined : await linkAt(next)
    rest = target === undefined ? others : [...names(target), ...others]
    if (target === undefined) at = next
    else at = target.startsWith('/') ? '/' : resolve(dirname(next))
    if (target !== undefined) links++
  }
}

/** Whether it failed because the server of a filesystem has ended, or cannot be reached. */
export function isServerGone(error: unknown): boolean {
  return isErrno(error, ...GONE)
}

const GONE = ['ENOTCONN', 'ECONNABORTED', 'ESTALE', 'EHOSTDOWN', 'EHOSTUNREACH']

function names(path: string): readonly string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.')
}

/** The type of the filesystem that is seen at `path`. */
function typeAt(path: string, mounts: readonly MountInfo[]): string {
  let found: MountInfo | undefined
  for (const mount of mounts) {
    const { mountpoint } = mount
    const covers =
      path === mountpoint ||
      path.startsWith(mountpoint === '/' ? '/' : `${mountpoint}/`)
    // Of two at one place, the later lies on top.
    if (covers && mountpoint.length >= (found?.mountpoint.length ?? 0)) {
      found = mount
    }
  }
  return found?.type ?? ''
}

/** Where the link at `path` leads; `undefined` if there is none. */
async function linkAt(path: string): Promise<string | undefined> {
  try {
    return await fs.readlink(path)
  } catch (error) {
    if (isErrno(error, 'EINVAL', 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
