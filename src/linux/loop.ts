import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import { isErrno } from '../base/errors.ts'
import { ioctl, ioctlNumber } from './ioctl.ts'
import { mknod } from './mknod.ts'

// From <linux/loop.h>, which numbered its requests before there was a scheme.
const LOOP_CLR_FD = 0x4c01
const LOOP_GET_STATUS64 = 0x4c05
const LOOP_SET_CAPACITY = 0x4c07
const LOOP_CONFIGURE = 0x4c0a
const LOOP_CTL_GET_FREE = 0x4c82
const LO_FLAGS_READ_ONLY = 1
const LO_FLAGS_AUTOCLEAR = 4
const LO_FLAGS_DIRECT_IO = 16

const CONTROL = '/dev/loop-control'
const LOOP_MAJOR = 7
const SECTOR = 512

/** A file that is shown as a block device. */
export interface LoopDevice {
  /** The device, such as `/dev/loop3`. */
  readonly path: string
  /** The file as the kernel names it; ` (deleted)` follows if it is. */
  readonly backingFile: string
  readonly bytes: number
  readonly readonly: boolean
  /** Whether it frees itself once nobody has it open or mounted. */
  readonly autoclear: boolean
  /** Whether it goes past the page cache. */
  readonly directIo: boolean
}

export interface AttachOptions {
  readonly readonly?: boolean
  /** Keeps the file's pages from being cached twice, where its filesystem can. */
  readonly directIo?: boolean
}

/** A device that stays attached for as long as it is open, or mounted by then. */
export interface AttachedLoop extends AsyncDisposable {
  readonly path: string
}

/**
 * Shows `file` as a block device; the one that shows it already, if there is one.
 * Two filesystems mounted from two devices of one file would tear it to pieces,
 * and a mount that was detached lives on as long as a container has it.
 *
 * The device frees itself when the last of its users lets go: this process by
 * leaving the scope or by dying, and the mount made of it meanwhile by being
 * unmounted. So none is ever left behind.
 *
 * Calls for one file take turns.
 */
export async function attachLoop(
  file: string,
  { readonly = false, directIo = false }: AttachOptions = {},
): Promise<AttachedLoop> {
  const flags =
    LO_FLAGS_AUTOCLEAR |
    (readonly ? LO_FLAGS_READ_ONLY : 0) |
    (directIo ? LO_FLAGS_DIRECT_IO : 0)
  await using backing = await fs.open(file, readonly ? 'r' : 'r+')
  const present = await deviceShowing(backing)
  if (present !== undefined) return present
  for (;;) {
    const path = await freeDevice()
    const device = await fs.open(path, readonly ? 'r' : 'r+')
    try {
      await ioctl.later(device.fd, LOOP_CONFIGURE, loopConfig(backing, flags))
      return held(path, device)
    } catch (error) {
      await device.close()
      // Somebody else was given the same number and came first.
      if (!isErrno(error, 'EBUSY')) throw error
    }
  }
}

/** Makes the device as long as its file has become. */
export async function growLoop(device: string): Promise<void> {
  await using handle = await fs.open(device, 'r')
  await ioctlNumber.later(handle.fd, LOOP_SET_CAPACITY, 0)
}

/** Frees the device, at once or when its last user lets go of it. */
export async function detachLoop(device: string): Promise<void> {
  await using handle = await fs.open(device, 'r')
  await ioctlNumber.later(handle.fd, LOOP_CLR_FD, 0)
}

/** All loop devices that show a file now, on this machine. */
export async function loopDevices(): Promise<readonly LoopDevice[]> {
  const found: LoopDevice[] = []
  for (const name of await fs.readdir('/sys/block')) {
    if (!name.startsWith('loop')) continue
    const device = await describe(name)
    if (device !== undefined) found.push(device)
  }
  return found
}

/** `undefined` where it shows nothing, or is being freed while we look. */
async function describe(name: string): Promise<LoopDevice | undefined> {
  const sys = `/sys/block/${name}`
  try {
    const [file, sectors, readonly, autoclear, directIo] = await Promise.all(
      ['loop/backing_file', 'size', 'ro', 'loop/autoclear', 'loop/dio'].map(
        async (entry) => (await fs.readFile(`${sys}/${entry}`, 'utf8')).trim(),
      ),
    )
    return {
      path: `/dev/${name}`,
      backingFile: file ?? '',
      bytes: Number(sectors) * SECTOR,
      readonly: readonly === '1',
      autoclear: autoclear === '1',
      directIo: directIo === '1',
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENXIO', 'ENODEV')) return undefined
    throw error
  }
}

/**
 * The device that shows the very file, held open. Files are compared by number:
 * the path that the kernel has for one may be that of another mount namespace.
 */
async function deviceShowing(
  file: fs.FileHandle,
): Promise<AttachedLoop | undefined> {
  const { dev, ino } = await file.stat({ bigint: true })
  for (const { path } of await loopDevices()) {
    ensureNode(path)
    const device = await fs.open(path, 'r')
    const shown = await fileShownBy(device)
    if (shown?.dev === dev && shown.ino === ino) return held(path, device)
    await device.close()
  }
  return undefined
}

/** struct loop_info64: u64 device and u64 inode of the file come first. */
async function fileShownBy({
  fd,
}: fs.FileHandle): Promise<{ dev: bigint; ino: bigint } | undefined> {
  const info = Buffer.alloc(232)
  try {
    await ioctl.later(fd, LOOP_GET_STATUS64, info)
  } catch (error) {
    if (isErrno(error, 'ENXIO')) return undefined
    throw error
  }
  return { dev: info.readBigUInt64LE(0), ino: info.readBigUInt64LE(8) }
}

function held(path: string, device: fs.FileHandle): AttachedLoop {
  return { path, [Symbol.asyncDispose]: () => device.close() }
}

async function freeDevice(): Promise<string> {
  await using control = await fs.open(CONTROL, constants.O_RDWR)
  const number = await ioctlNumber.later(control.fd, LOOP_CTL_GET_FREE, 0)
  const path = `/dev/loop${number}`
  ensureNode(path)
  return path
}

/** In a container nobody makes nodes for devices that others have, or come later. */
function ensureNode(path: string): void {
  const minor = Number(path.slice('/dev/loop'.length))
  try {
    mknod(path, 'block', 0o660, { major: LOOP_MAJOR, minor })
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  }
}

/**
 * struct loop_config, 304 bytes: u32 fd, u32 block size, struct loop_info64 (232
 * bytes, its u32 flags at 52), u64 reserved[8].
 */
function loopConfig({ fd }: fs.FileHandle, flags: number): Buffer {
  const config = Buffer.alloc(304)
  config.writeUInt32LE(fd, 0)
  // Left to itself, the kernel takes 4096 for a file on xfs that shares blocks, and
  // then refuses filesystems that were made for less. It goes without direct
  // access where the file cannot have it in such steps.
  config.writeUInt32LE(SECTOR, 4)
  config.writeUInt32LE(flags, 8 + 52)
  return config
}
