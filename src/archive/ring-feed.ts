import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { RingWriter } from './byte-ring.ts'

/**
 * Writes all of `bytes` to the ring, and says that it is all. Where the ring is cut
 * the rest is read past: whoever sends it hears of the failure only then.
 */
export async function feedRing(
  bytes: Readable,
  writer: RingWriter,
  signal?: AbortSignal,
): Promise<void> {
  // A stream that is paused at its last chunk may end all the same.
  let rest = Promise.resolve()
  bytes.on('data', (chunk: Buffer) => {
    const written = writer.writeSome(chunk)
    if (written === chunk.length) return
    bytes.pause()
    rest = writeRest(chunk.subarray(written), writer)
    void rest.then(() => bytes.resume())
  })
  try {
    await finished(bytes, { writable: false, ...(signal && { signal }) })
  } catch (error) {
    bytes.destroy()
    writer.cut()
    throw error
  }
  await rest
  writer.end()
}

async function writeRest(rest: Buffer, writer: RingWriter): Promise<void> {
  for (let at = 0; at < rest.length;) {
    await writer.room()
    at += writer.writeSome(rest.subarray(at))
  }
}
