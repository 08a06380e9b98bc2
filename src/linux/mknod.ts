import { constants } from 'node:fs'
import { cPath, declare, type PathBytes } from './libc.ts'

const mknod2 = declare('mknod', [
  'const char *',
  'unsigned int',
  'unsigned long',
])

/** What mknod(2) makes, by the name of its type. */
const TYPE = {
  character: constants.S_IFCHR,
  block: constants.S_IFBLK,
  fifo: constants.S_IFIFO,
  socket: constants.S_IFSOCK,
} as const

export type SpecialType = keyof typeof TYPE

/** A device's number, in the two halves that people know it by. */
export interface DeviceNumber {
  readonly major: number
  readonly minor: number
}

const NO_DEVICE: DeviceNumber = { major: 0, minor: 0 }

/** Makes a device, a FIFO or a socket, owned by the caller. */
export function mknod(
  path: PathBytes,
  type: SpecialType,
  mode: number,
  device: DeviceNumber = NO_DEVICE,
): void {
  mknod2(cPath(path), TYPE[type] | mode, deviceId(device))
}

/**
 * The number that stat(2) and mknod(2) know a device by. The kernel keeps 12 bits
 * of a major and 20 of a minor; the bits that do not fit name no device.
 */
export function deviceId({ major, minor }: DeviceNumber): number {
  const low = ((major & 0xfff) << 8) | (minor & 0xff)
  return ((((minor >>> 8) & 0xfff) << 20) | low) >>> 0
}

/** The two halves of `id`. */
export function deviceNumber(id: number): DeviceNumber {
  return {
    major: (id >>> 8) & 0xfff,
    minor: (id & 0xff) | ((id >>> 12) & 0xfff00),
  }
}
