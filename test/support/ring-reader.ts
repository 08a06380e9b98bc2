import { createHash } from 'node:crypto'
import { RingReader, type SharedRing } from '../../src/archive/byte-ring.ts'
import { serveCalls } from '../../src/base/thread.ts'

/** A thread that reads from a ring, in pieces of odd sizes. */
export interface RingReaderCalls {
  /** The digest of all that comes, or of the first `limit` bytes: then it cuts. */
  digest(ring: SharedRing, reader: number, limit?: number): string
  [name: string]: (...values: never[]) => unknown
}

function digest(shared: SharedRing, reader: number, limit = Infinity): string {
  const ring = new RingReader(shared, reader)
  const hash = createHash('sha256')
  let total = 0
  for (let bytes; (bytes = ring.read()) !== undefined;) {
    const part = bytes.subarray(0, 1 + ((total * 7919) % bytes.length))
    hash.update(part)
    ring.release(part.length)
    total += part.length
    if (total >= limit) ring.cut()
  }
  return hash.digest('hex')
}

const calls: RingReaderCalls = { digest }
serveCalls(calls)
