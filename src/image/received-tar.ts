import { createHash, type Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { decompressed } from '../archive/compression.ts'

/** What came in: its digests, and what was made of it. */
export interface Received<T> {
  /** Of the bytes as they came. */
  readonly digest: string
  /** Of the bytes without their compression. */
  readonly diffId: string
  readonly result: T
}

/**
 * Lets `take` have an image's tar, and answers the digests of all of it: what
 * follows the end of the tar counts too, whether `take` reads it or not.
 */
export async function receive<T>(
  tar: Readable,
  take: (layerTar: Readable) => Promise<T>,
  signal?: AbortSignal,
): Promise<Received<T>> {
  const transported = createHash('sha256')
  const content = createHash('sha256')
  const result = await pipeline(
    tar,
    (bytes: AsyncIterable<Buffer>) => hashed(bytes, transported),
    (bytes: AsyncIterable<Buffer>) => decompressed(bytes),
    (bytes: AsyncIterable<Buffer>) => hashed(bytes, content),
    async (bytes: AsyncIterable<Buffer>) => {
      const layerTar = Readable.from(bytes, { objectMode: false })
      try {
        const taken = await take(layerTar)
        await drained(layerTar)
        return taken
      } finally {
        layerTar.destroy()
      }
    },
    signal === undefined ? {} : { signal },
  )
  return { digest: digestOf(transported), diffId: digestOf(content), result }
}

async function* hashed(
  bytes: AsyncIterable<Buffer>,
  hash: Hash,
): AsyncGenerator<Buffer, void> {
  for await (const chunk of bytes) {
    hash.update(chunk)
    yield chunk
  }
}

async function drained(stream: Readable): Promise<void> {
  if (stream.destroyed || stream.readableEnded) return
  stream.resume()
  await new Promise((resolve, reject) => {
    stream.once('end', resolve)
    stream.once('error', reject)
  })
}

function digestOf(hash: Hash): string {
  return `sha256:${hash.digest('hex')}`
}
