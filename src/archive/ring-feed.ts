import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { callbackify } from 'node:util'
import type { RingWriter } from './byte-ring.ts'

/**
 * Writes all of `bytes` to the ring, and says that it is all. Where the ring is cut
 * the rest is read past: whoever sends it hears of the failure only then.
 */
export async function feedRing(
  bytes: AsyncIterable<Uint8Array>,
  writer: RingWriter,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await pipeline(bytes, sinkOf(writer), signal ? { signal } : {})
  } catch (error) {
    writer.cut()
    throw error
  }
  writer.end()
}

/** The ring as a stream: what finds room is gone at once. */
function sinkOf(writer: RingWriter): Writable {
  const writeRest = callbackify(async (chunk: Uint8Array) => {
    for (let at = 0; at < chunk.length;) {
      await writer.room()
      at += writer.writeSome(chunk.subarray(at))
    }
  })
  return new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      const written = writer.writeSome(chunk)
      if (written === chunk.length) done()
      else writeRest(chunk.subarray(written), done)
    },
  })
}
