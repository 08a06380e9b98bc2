import { InvalidArgumentError } from '../../base/errors.ts'

const SPACE = 0x20
const NEWLINE = 0x0a
const EQUALS = 0x3d
const ZERO = 0x30

/** A keyword, whose characters are bytes, and its value. */
export type PaxRecord = readonly [keyword: string, value: Buffer]

/**
 * Reads the body of a PAX header: records `LENGTH KEYWORD=VALUE\n`, whose length
 * counts itself. Values are bytes and may hold newlines and NULs; they are copied.
 *
 * @throws InvalidArgumentError when a record is not whole.
 */
export function* paxRecords(body: Buffer): Generator<PaxRecord, void> {
  for (let start = 0; start < body.length;) {
    const { length, textAt } = lengthOfRecord(body, start)
    const end = start + length
    const equals = body.indexOf(EQUALS, textAt)
    const isWhole =
      end <= body.length &&
      equals > textAt &&
      equals < end - 1 &&
      body[end - 1] === NEWLINE
    if (!isWhole) throw malformed(start)
    yield [
      body.toString('latin1', textAt, equals),
      Buffer.from(body.subarray(equals + 1, end - 1)),
    ]
    start = end
  }
}

function lengthOfRecord(
  body: Buffer,
  start: number,
): { length: number; textAt: number } {
  let length = 0
  let at = start
  for (; at < body.length && body[at] !== SPACE; at++) {
    const digit = (body[at] ?? 0) - ZERO
    if (digit < 0 || digit > 9 || at - start > 9) throw malformed(start)
    length = length * 10 + digit
  }
  // The shortest record is `5 a=\n`.
  if (length < 5) throw malformed(start)
  return { length, textAt: at + 1 }
}

function malformed(offset: number): Error {
  return new InvalidArgumentError(
    `Not a tar: the PAX record at byte ${offset} of its header is malformed`,
  )
}
