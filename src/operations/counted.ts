import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream'
import type { Working } from './job.ts'

/** `bytes` as they are, with each of them counted as progress of `working`. */
export function counted(
  bytes: Readable,
  working: Working,
  total?: number,
): Readable {
  let done = 0
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      done += chunk.length
      working.progress({
        done,
        unit: 'bytes',
        ...(total === undefined ? {} : { total: Math.max(total, done) }),
      })
      pass(null, chunk)
    },
  })
  // A failure of either is the other's, and is told to whoever reads.
  pipeline(bytes, counting, () => undefined)
  return counting
}
