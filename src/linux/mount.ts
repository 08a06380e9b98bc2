import { close, constants, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { declare } from './libc.ts'

// From <sys/mount.h>; the same numbers on every architecture.
const MS_RDONLY = 0x1
const MS_NOSUID = 0x2
const MS_NODEV = 0x4
const MS_NOEXEC = 0x8
const MS_REMOUNT = 0x20
const MS_NOATIME = 0x400
const MS_BIND = 0x1000
const MS_REC = 0x4000
const MS_PRIVATE = 0x40000
const MS_SLAVE = 0x80000
const MS_SHARED = 0x100000
const MNT_DETACH = 0x2
const UMOUNT_NOFOLLOW = 0x8

// From <fcntl.h>: a descriptor that only says where, and opens nothing.
const O_PATH = 0x200000

/** Options that mount(2) takes as flags; all others travel as its data string. */
const FLAGS: Readonly<Record<string, number>> = {
  ro: MS_RDONLY,
  rw: 0,
  nosuid: MS_NOSUID,
  nodev: MS_NODEV,
  noexec: MS_NOEXEC,
  noatime: MS_NOATIME,
  bind: MS_BIND,
  rbind: MS_BIND | MS_REC,
  remount: MS_REMOUNT,
}

const mount2 = declare('mount', [
  'const char *',
  'const char *',
  'const char *',
  'unsigned long',
  'const char *',
])
const umount2 = declare('umount2', ['const char *', 'int'])

/** A mount as fstab(5) would write it, without the place where it appears. */
export interface MountSpec {
  /** `bind`, or a filesystem type such as `overlay` or `tmpfs`. */
  readonly type: string
  readonly source: string
  /** Options as mount(8) spells them, flags and data together. */
  readonly options: readonly string[]
}

/**
 * Mounts `spec` at `target`, on the calling thread: an overlay takes 0.2 ms.
 * What may hang, such as FUSE or a network filesystem, uses `mountLater`.
 */
export function mount(spec: MountSpec, target: string): void {
  for (const step of steps(spec, target)) mount2(...step)
}

/** Like `mount`, but on another thread. */
export async function mountLater(
  spec: MountSpec,
  target: string,
): Promise<void> {
  for (const step of steps(spec, target)) await mount2.later(...step)
}

/**
 * Detaches the mount at `target` and never follows a link to it. Whoever still
 * has files open there keeps them; the name is free at once.
 *
 * Always on another thread: with dirty data it takes seconds.
 */
export async function unmount(target: string): Promise<void> {
  await umount2.later(target, MNT_DETACH | UMOUNT_NOFOLLOW)
}

/** A filesystem that may be mounted nowhere any more, and is kept from its end. */
export interface Detached {
  /**
   * Lets it end, once, and settles when it has: all that is dirty beneath is
   * written first, which is what takes the time.
   */
  readonly end: () => Promise<void>
}

/**
 * Like `unmount`, but answers as soon as the name is free, and leaves it to the
 * caller when the filesystem behind it ends.
 *
 * Not for what may hang: the place is looked up here and now.
 */
export async function detach(target: string): Promise<Detached> {
  // Whoever has it open last ends a filesystem that is mounted nowhere.
  const place = openSync(target, O_PATH | constants.O_NOFOLLOW)
  try {
    await unmount(target)
  } catch (error) {
    await closeLater(place)
    throw error
  }
  return { end: () => closeLater(place) }
}

const closeLater = promisify(close)

export type Propagation = 'private' | 'slave' | 'shared'

const PROPAGATION = {
  private: MS_PRIVATE,
  slave: MS_SLAVE,
  shared: MS_SHARED,
} as const

/** Sets how mounts below `target` travel between mount namespaces. */
export function setPropagation(target: string, mode: Propagation): void {
  mount2('none', target, null, PROPAGATION[mode] | MS_REC, null)
}

type Step = [string, string, string | null, number, string | null]

/**
 * The kernel takes no other flag together with `bind`; a read-only bind is a
 * bind first and a remount second.
 */
function steps(spec: MountSpec, target: string): Step[] {
  let flags = spec.type === 'bind' ? MS_BIND : 0
  const data: string[] = []
  for (const option of spec.options) {
    const flag = FLAGS[option]
    if (flag === undefined) data.push(option)
    else flags |= flag
  }
  const type = spec.type === 'bind' ? null : spec.type
  if ((flags & MS_BIND) === 0) {
    return [[spec.source, target, type, flags, data.join(',')]]
  }
  const bind = flags & (MS_BIND | MS_REC)
  const rest = flags & ~bind
  const first: Step = [spec.source, target, null, bind, null]
  if (rest === 0) return [first]
  return [first, ['none', target, null, MS_REMOUNT | MS_BIND | rest, null]]
}
