import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { InvalidArgumentError } from '../base/errors.ts'

/**
 * Gives the body of `request` to `use`, and returns its result once the body has
 * been read to the very end, whoever stopped reading it earlier.
 *
 * dockerd hashes a layer while it sends it. An answer before the last byte, good
 * or bad, would make its uploader and its hasher read one source at once.
 *
 * Only the transport knows whether a body is whole: what dockerd aborts may end at
 * the border of two files. A whole body of no bytes is a legal, empty layer.
 *
 * @throws InvalidArgumentError when the body was cut off.
 */
export async function withWholeBody<T>(
  request: IncomingMessage,
  use: (body: Readable) => Promise<T>,
): Promise<T> {
  const chunks = request.iterator({ destroyOnReturn: false })
  // Without a `return`, whoever destroys the body leaves the request alone.
  const body = Readable.from(
    { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) },
    { objectMode: false },
  )
  let result: T
  try {
    result = await use(body)
  } finally {
    body.destroy()
    await discard(chunks)
  }
  if (request.complete) return result
  throw new InvalidArgumentError('The upload was cut off before its end')
}

async function discard(chunks: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const _chunk of chunks);
  } catch {
    // Cut off; `request.complete` tells.
  }
}
