import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream'
import type { Working } from './job.ts'

export interface CountedOptions {
  /** How many there will be, as far as that is known by now. */
  readonly total?: () => number | undefined
  /** What whoever reads fails with where there are none. */
  readonly whenEmpty?: Error
}

/** `bytes` as they are, with each of them counted as progress of `working`. */
export function counted(
  bytes: Readable,
  working: Working,
  { total, whenEmpty }: CountedOptions = {},
): Readable {
  let done = 0
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      done += chunk.length
      const expected = total?.()
      working.progress({
        done,
        unit: 'bytes',
        ...(expected === undefined ? {} : { total: Math.max(expected, done) }),
      })
      pass(null, chunk)
    },
    flush(finish) {
      finish(done === 0 ? whenEmpty : undefined)
    },
  })
  // A failure of either is the other's, and is told to whoever reads.
  pipeline(bytes, counting, () => undefined)
  return counting
}
