import type { FileHandle } from 'node:fs/promises'
import { isErrno } from '../base/errors.ts'
import { declare } from './libc.ts'
import type { ByteRange } from './reflink.ts'

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
