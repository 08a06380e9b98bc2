import { declare } from './libc.ts'

/** ioctl(2) with a structure that is read, written or both. */
export const ioctl = declare('ioctl', ['int', 'unsigned long', 'void *'])

/** ioctl(2) with a plain number, which may be a descriptor. */
export const ioctlNumber = declare('ioctl', [
  'int',
  'unsigned long',
  'unsigned long',
])

/** Which way the structure of a request travels, seen from the caller. */
const DIRECTION = { none: 0, in: 1, out: 2, both: 3 } as const

/**
 * The code of an ioctl request as `<asm-generic/ioctl.h>` puts it together; x64
 * and arm64 share it.
 *
 * @param size Bytes of the structure that goes with it.
 */
export function requestCode(
  direction: keyof typeof DIRECTION,
  family: number,
  number: number,
  size: number,
): number {
  const code = (size << 16) | (family << 8) | number
  return DIRECTION[direction] * 2 ** 30 + code
}
