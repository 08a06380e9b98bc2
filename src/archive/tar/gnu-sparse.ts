import { InvalidArgumentError } from '../../base/errors.ts'
import { BLOCK_SIZE, type Field } from './header-layout.ts'
import { readNumber } from './header-numbers.ts'
import type { SparseRun } from './tar-entry.ts'

const PAIR = 24
const NUMBER = 12
const IN_HEADER = { at: 386, pairs: 4, continues: 482 }
const IN_EXTENSION = { at: 0, pairs: 21, continues: 504 }
const REAL_SIZE: Field = [483, NUMBER]
const NEWLINE = 0x0a

/** Where a map goes on, and the runs so far. */
export interface SparseMapPart {
  readonly runs: SparseRun[]
  readonly continues: boolean
}

/** The part of the map in the header of GNU's old sparse files, typeflag `S`. */
export function mapInHeader(block: Buffer): SparseMapPart & { size: number } {
  return { ...mapIn(block, IN_HEADER), size: readNumber(block, REAL_SIZE) }
}

/** The part of the map in a block that follows such a header. */
export function mapInExtension(block: Buffer): SparseMapPart {
  return mapIn(block, IN_EXTENSION)
}

/**
 * A 1.0 map, which is text in front of the data: how many runs, then offset and
 * length of each, a line for each number, padded to whole blocks.
 */
export class SparseMapText {
  #text: Buffer[] = []
  #lines = 0
  #wanted = Infinity

  /**
   * Takes a block, and answers the numbers once it has all of them.
   *
   * @throws InvalidArgumentError when it is not such a map.
   */
  push(block: Buffer): number[] | undefined {
    this.#text.push(Buffer.from(block))
    if (this.#wanted === Infinity) {
      const [first] = numbersIn(block, 1)
      if (first !== undefined) this.#wanted = 1 + 2 * first
    }
    for (const byte of block) if (byte === NEWLINE) this.#lines++
    if (this.#lines < this.#wanted) return undefined
    return numbersIn(Buffer.concat(this.#text), this.#wanted).slice(1)
  }
}

/** The numbers of the first lines of `text`, as far as they are whole. */
function numbersIn(text: Buffer, count: number): number[] {
  const numbers: number[] = []
  for (let start = 0; numbers.length < count;) {
    const end = text.indexOf(NEWLINE, start)
    if (end < 0) break
    const line = text.toString('latin1', start, end)
    if (!/^\d{1,15}$/.test(line)) {
      throw new InvalidArgumentError(
        `Not a tar: the map of a sparse file has ${JSON.stringify(line.slice(0, 40))} for a number`,
      )
    }
    numbers.push(Number(line))
    start = end + 1
  }
  return numbers
}

function mapIn(
  block: Buffer,
  { at, pairs, continues }: typeof IN_HEADER,
): SparseMapPart {
  const runs: SparseRun[] = []
  for (let i = 0; i < pairs; i++) {
    const start = at + i * PAIR
    // An unused pair is empty, and the map ends there.
    if (block[start] === 0) break
    runs.push({
      offset: readNumber(block, [start, NUMBER]),
      length: readNumber(block, [start + NUMBER, NUMBER]),
    })
  }
  return { runs, continues: block[continues % BLOCK_SIZE] === 1 }
}
