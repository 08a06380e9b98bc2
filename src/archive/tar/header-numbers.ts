import { InvalidArgumentError } from '../../base/errors.ts'
import type { Field } from './header-layout.ts'

const NUL = 0x00
const SPACE = 0x20
const ZERO = 0x30
const SEVEN = 0x37
const NANOSECONDS = 1_000_000_000n

/**
 * The number in a header field: octal digits within blanks, or, if the first bit
 * is set, GNU's binary form. An empty field is 0.
 *
 * @throws InvalidArgumentError for anything else, and for a negative number.
 */
export function readNumber(block: Buffer, field: Field): number {
  const value = isBinary(block, field)
    ? Number(readBinary(block, field))
    : readOctal(block, field)
  if (value < 0 || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError(
      `Not a tar: a header has the number ${value} at byte ${field[0]}`,
    )
  }
  return value
}

/** Like `readNumber`, for seconds, which may lie before 1970. */
export function readSeconds(block: Buffer, field: Field): bigint {
  return isBinary(block, field)
    ? readBinary(block, field)
    : BigInt(readOctal(block, field))
}

export function secondsToNanoseconds(seconds: bigint): bigint {
  return seconds * NANOSECONDS
}

/**
 * The nanoseconds of a PAX time such as `-1.25`; digits past the ninth are cut.
 *
 * @throws InvalidArgumentError when it is none.
 */
export function readPaxTime(text: string): bigint {
  const [, sign, whole = '', fraction = ''] =
    /^(-?)(\d{1,18})(?:\.(\d*))?$/.exec(text) ?? []
  if (whole === '') {
    throw new InvalidArgumentError(`Not a tar: "${text}" is not a PAX time`)
  }
  const rest = BigInt(fraction.slice(0, 9).padEnd(9, '0'))
  const magnitude = BigInt(whole) * NANOSECONDS + rest
  return sign === '-' ? -magnitude : magnitude
}

/** @throws InvalidArgumentError when `text` is not a decimal number. */
export function readPaxNumber(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN
  if (!Number.isSafeInteger(value)) {
    throw new InvalidArgumentError(`Not a tar: "${text}" is not a PAX number`)
  }
  return value
}

function isBinary(block: Buffer, [offset]: Field): boolean {
  return ((block[offset] ?? 0) & 0x80) !== 0
}

/** Two's complement, big end first, in all bits but the very first. */
function readBinary(block: Buffer, [offset, length]: Field): bigint {
  let value = BigInt((block[offset] ?? 0) & 0x7f)
  for (let i = offset + 1; i < offset + length; i++) {
    value = (value << 8n) | BigInt(block[i] ?? 0)
  }
  return BigInt.asIntN(length * 8 - 1, value)
}

function readOctal(block: Buffer, field: Field): number {
  const [offset, length] = field
  const end = offset + length
  let i = offset
  while (i < end && isBlank(block[i])) i++
  let value = 0
  for (; i < end && !isBlank(block[i]); i++) {
    const digit = block[i] ?? 0
    if (digit < ZERO || digit > SEVEN) throw malformed(block, field)
    value = value * 8 + (digit - ZERO)
  }
  return value
}

function isBlank(byte: number | undefined): boolean {
  return byte === NUL || byte === SPACE
}

function malformed(block: Buffer, [offset, length]: Field): Error {
  const text = block.toString('latin1', offset, offset + length)
  return new InvalidArgumentError(
    `Not a tar: a header has ${JSON.stringify(text)} for a number at byte ${offset}`,
  )
}
