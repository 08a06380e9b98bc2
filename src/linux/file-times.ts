import * as fs from 'node:fs'
import { cPath, declare, type PathBytes } from './libc.ts'

const AT_FDCWD = -100
const AT_SYMLINK_NOFOLLOW = 0x100
const NANOSECONDS = 1_000_000_000n

const utimensat = declare('utimensat', [
  'int',
  'const char *',
  'const void *',
  'int',
])

/** Nanoseconds since 1970, before it below zero. A double would round them. */
export type Nanoseconds = bigint

/** Sets the times of `path` itself, be it a symbolic link, to the nanosecond. */
export function setTimes(
  path: PathBytes,
  accessed: Nanoseconds,
  modified: Nanoseconds,
): void {
  const [atime, mtime] = [wholeSeconds(accessed), wholeSeconds(modified)]
  if (atime !== undefined && mtime !== undefined) {
    fs.lutimesSync(path, atime, mtime)
    return
  }
  const times = new BigInt64Array(4)
  times.set(timespec(accessed), 0)
  times.set(timespec(modified), 2)
  utimensat(
    AT_FDCWD,
    cPath(path),
    Buffer.from(times.buffer),
    AT_SYMLINK_NOFOLLOW,
  )
}

/**
 * A time as Node takes it, if Node takes it as it is, which is far quicker: whole
 * seconds, not before 1970, for it takes what was before for the present.
 */
export function wholeSeconds(time: Nanoseconds): number | undefined {
  if (time < 0n || time % NANOSECONDS !== 0n) return undefined
  const seconds = Number(time / NANOSECONDS)
  return Number.isSafeInteger(seconds) ? seconds : undefined
}

/** Seconds, rounded down, and what is left of them, as timespec(3) has it. */
function timespec(time: Nanoseconds): [bigint, bigint] {
  const rest = time % NANOSECONDS
  const nanoseconds = rest < 0n ? rest + NANOSECONDS : rest
  return [(time - nanoseconds) / NANOSECONDS, nanoseconds]
}
