import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { InvalidArgumentError } from '../base/errors.ts'
import { collectYoungGarbage } from '../base/young-garbage.ts'

/** Chunks of so many bytes are left lying, and then freed at once. */
const COLLECT_AFTER = 8 * 1024 * 1024

/** Bytes of all bodies since that was done last: many layers are small. */
let passed = 0

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
  // Whoever destroys the body leaves the request alone, which flows on.
  const body = new Readable({ read: () => request.resume() })
  // It may fail before anybody reads it, and whoever reads it then is told.
  body.on('error', () => {})
  request.on('data', (chunk: Buffer) => {
    passed += chunk.length
    if (passed >= COLLECT_AFTER) {
      passed = 0
      collectYoungGarbage()
    }
    if (!body.destroyed && !body.push(chunk)) request.pause()
  })
  const over = endWith(request, body)
  let result: T
  try {
    result = await use(body)
  } finally {
    body.destroy()
    request.resume()
    await over
  }
  if (request.complete) return result
  throw cutOff()
}

/** Ends `body` as `request` ends. */
async function endWith(
  request: IncomingMessage,
  body: Readable,
): Promise<void> {
  try {
    await finished(request)
    body.push(null)
  } catch {
    body.destroy(cutOff())
  }
}

function cutOff(): Error {
  return new InvalidArgumentError('The upload was cut off before its end')
}
