import type { FileHandle } from 'node:fs/promises'
import { constants } from 'node:os'
import { isErrno } from '../base/errors.ts'
import { declare, systemError } from './libc.ts'
import type { ByteRange } from './reflink.ts'

const SEEK_SET = 0
const SEEK_DATA = 3
const SEEK_HOLE = 4

const lseek = declare('lseek', ['int', 'long', 'int'], 'long')

/**
 * The parts of `file` that hold data, in order; the rest up to its size are holes,
 * which read as zeros and take no space. A filesystem that knows no holes has one
 * part, the whole file.
 *
 * It moves the file's position.
 */
export async function* dataRanges(file: FileHandle): AsyncGenerator<ByteRange> {
  let end = 0
  for (;;) {
    const start = await seek(file, end, SEEK_DATA)
    if (start === undefined) return
    end = (await seek(file, start, SEEK_HOLE)) ?? start
    yield { start, end }
  }
}

/**
 * The next part at or after `offset`, found here and now, for threads that may
 * wait; `undefined` where only a hole is left. Moves the position to its start.
 */
export function nextDataRange(
  descriptor: number,
  offset: number,
): ByteRange | undefined {
  const start = lseek.attempt(descriptor, offset, SEEK_DATA)
  if (start === -constants.errno.ENXIO) return undefined
  if (start < 0) throw systemError(-start, 'lseek')
  const end = lseek(descriptor, start, SEEK_HOLE)
  lseek(descriptor, start, SEEK_SET)
  return { start, end }
}

/** `undefined` past the last data. Looking may take disk reads, so not here. */
async function seek(
  { fd }: FileHandle,
  offset: number,
  whence: number,
): Promise<number | undefined> {
  try {
    return await lseek.later(fd, offset, whence)
  } catch (error) {
    if (isErrno(error, 'ENXIO')) return undefined
    throw error
  }
}
