import { InvalidArgumentError } from '../../base/errors.ts'
import { NO_BYTES } from './tar-entry.ts'
import * as layout from './header-layout.ts'
import { BLOCK_SIZE, type Field } from './header-layout.ts'
import {
  readNumber,
  readSeconds,
  secondsToNanoseconds,
} from './header-numbers.ts'

const STAR_TRAILER = 'tar\0'
const STAR_TRAILER_OFFSET = 508
const STAR_PREFIX_LENGTH = 131
const SLASH = Buffer.of(0x2f)
const ZEROS = Buffer.alloc(BLOCK_SIZE)
const SPACE = 0x20
const WHOLE: Field = [0, BLOCK_SIZE]

/** One header block, before the records that came ahead of it have their say. */
export interface Header {
  readonly flag: string
  readonly name: Buffer
  readonly linkName: Buffer
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: bigint
  readonly devMajor: number
  readonly devMinor: number
}

/** Whether `block` is one of those that end a tar. */
export function isZeroBlock(block: Buffer): boolean {
  return block[0] === 0 && block.equals(ZEROS)
}

/**
 * Reads a header block, and keeps nothing of its memory.
 *
 * @throws InvalidArgumentError when its checksum or a number is wrong.
 */
export function decodeHeader(block: Buffer): Header {
  checkSum(block)
  const dialect = dialectOf(block)
  const hasDevices = dialect !== 'old'
  return {
    flag: String.fromCharCode(block[layout.TYPEFLAG] ?? 0),
    name: nameOf(block, dialect),
    linkName: textOf(block, layout.LINK_NAME),
    mode: readNumber(block, layout.MODE) & 0o7777,
    uid: readNumber(block, layout.UID),
    gid: readNumber(block, layout.GID),
    size: readNumber(block, layout.SIZE),
    mtime: secondsToNanoseconds(readSeconds(block, layout.MTIME)),
    devMajor: hasDevices ? readNumber(block, layout.DEV_MAJOR) : 0,
    devMinor: hasDevices ? readNumber(block, layout.DEV_MINOR) : 0,
  }
}

type Dialect = 'old' | 'ustar' | 'star' | 'gnu'

function dialectOf(block: Buffer): Dialect {
  const [offset, length] = layout.MAGIC
  const magic = block.toString('latin1', offset, offset + length)
  if (magic === layout.GNU_MAGIC) return 'gnu'
  // Some writers leave the version out.
  if (!magic.startsWith('ustar\0')) return 'old'
  return block.toString('latin1', STAR_TRAILER_OFFSET) === STAR_TRAILER
    ? 'star'
    : 'ustar'
}

function nameOf(block: Buffer, dialect: Dialect): Buffer {
  const name = textOf(block, layout.NAME)
  if (dialect === 'old' || dialect === 'gnu') return name
  const [offset, length] = layout.PREFIX
  if (block[offset] === 0) return name
  const prefixLength = dialect === 'star' ? STAR_PREFIX_LENGTH : length
  return Buffer.concat([textOf(block, [offset, prefixLength]), SLASH, name])
}

/** A copy of the field up to its first NUL. */
function textOf(block: Buffer, [offset, length]: Field): Buffer {
  if (block[offset] === 0) return NO_BYTES
  const nul = block.indexOf(0, offset)
  const end = nul < 0 ? offset + length : Math.min(nul, offset + length)
  return Buffer.from(block.subarray(offset, end))
}

/** The sum of the header's bytes, its own field taken as blanks; some summed signed. */
function checkSum(block: Buffer): void {
  const stated = readNumber(block, layout.CHECKSUM)
  const sum = plainSum(block) - fieldSum(block, layout.CHECKSUM)
  if (stated === sum || stated === sum - 256 * highBytes(block)) return
  throw new InvalidArgumentError(
    `Not a tar: a header's checksum is ${sum}, and it states ${stated}`,
  )
}

/** Four bytes at a time: their sums in two halves of a word cannot overflow. */
function plainSum(block: Buffer): number {
  if (block.byteOffset % 4 !== 0) return fieldSum(block, WHOLE)
  const words = new Int32Array(block.buffer, block.byteOffset, BLOCK_SIZE / 4)
  let sums = 0
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0
    sums += (word & 0x00ff00ff) + ((word >>> 8) & 0x00ff00ff)
  }
  return (sums & 0xffff) + (sums >>> 16)
}

function fieldSum(block: Buffer, [offset, length]: Field): number {
  // The checksum's own field counts as blanks.
  let sum = length === BLOCK_SIZE ? 0 : -length * SPACE
  for (let i = offset; i < offset + length; i++) sum += block[i] ?? 0
  return sum
}

function highBytes(block: Buffer): number {
  const [offset, length] = layout.CHECKSUM
  const others = [block.subarray(0, offset), block.subarray(offset + length)]
  return others.reduce(
    (count, bytes) => count + bytes.filter((byte) => byte > 127).length,
    0,
  )
}
