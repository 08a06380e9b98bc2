import * as fs from 'node:fs'
import { ioctlNumber, requestCode } from './ioctl.ts'
import { declare } from './libc.ts'

const FICLONE = requestCode('in', 0x94, 9, 4)
const SEEK_SET = 0
const SEEK_DATA = 3
const SEEK_HOLE = 4
const BLOCK = 512

const lseek = declare('lseek', ['int', 'long', 'int'], 'long')
const copyFileRange = declare(
  'copy_file_range',
  ['int', 'void *', 'int', 'void *', 'size_t', 'unsigned int'],
  'long',
)

/**
 * Shares the blocks of the open file `source` with the open, empty file `target`,
 * and answers whether the filesystem can.
 */
export function shareBlocks(source: number, target: number): boolean {
  return ioctlNumber.attempt(target, FICLONE, source) >= 0
}

/**
 * Copies the open file `source` into the open, empty file `target` within the
 * kernel. Holes stay holes.
 */
export function copyData(
  source: number,
  target: number,
  { size, blocks }: { readonly size: number; readonly blocks: number },
): void {
  if (blocks * BLOCK >= size) {
    copyRange(source, target, size)
    return
  }
  fs.ftruncateSync(target, size)
  for (let end = 0; ;) {
    const start = lseek.attempt(source, end, SEEK_DATA)
    // Past the last data, which is how a search for more ends.
    if (start < 0) return
    end = lseek(source, start, SEEK_HOLE)
    lseek(source, start, SEEK_SET)
    lseek(target, start, SEEK_SET)
    copyRange(source, target, end - start)
  }
}

/** Copies `length` bytes between the places where the two files stand. */
function copyRange(source: number, target: number, length: number): void {
  for (let left = length; left > 0;) {
    const copied = copyFileRange(source, null, target, null, left, 0)
    // The source became shorter meanwhile; there is no more.
    if (copied === 0) return
    left -= copied
  }
}
