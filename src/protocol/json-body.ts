import type { IncomingMessage } from 'node:http'
import { InvalidArgumentError, messageOf } from '../base/errors.ts'
import { Thread } from '../base/thread.ts'
import type { JsonCalls } from './json-worker.ts'

/** Volume options are the only thing in a request that may grow. */
const LIMIT = 4 * 1024 * 1024

/** So much is parsed and checked in some five milliseconds, whatever it says. */
const SMALL = 64 * 1024

/** Parses what is larger, since of many short fields each takes its time. */
const thread = new Thread<JsonCalls>(new URL('json-worker.js', import.meta.url))

/**
 * Reads the body of `request` as JSON, whatever it claims to be: Docker sends no
 * Content-Type. No body at all is `undefined`.
 *
 * Every call of Docker's comes through here, a body parser for all the world would
 * double what a small one costs.
 *
 * @throws InvalidArgumentError for what is no JSON, too large, or cut off.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  try {
    const body = await readBody(request)
    if (body.length > SMALL) return await thread.call('parse', body)
    const text = body.toString()
    return text === '' ? undefined : (JSON.parse(text) as unknown)
  } catch (error) {
    throw new InvalidArgumentError(
      `Cannot read the request: ${messageOf(error)}`,
      { cause: error },
    )
  }
}

/** Reads even what is too large to its end, for only then does Docker listen. */
function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= LIMIT) chunks.push(chunk)
    })
    request.once('end', () => {
      if (length <= LIMIT) resolve(Buffer.concat(chunks))
      else reject(new Error(`it is too large: at most ${LIMIT} bytes`))
    })
    // Also for one that was cut off before anybody read it, which has no error left.
    const cut = (): void => {
      if (!request.readableEnded) reject(new Error('it was cut off'))
    }
    if (request.destroyed) cut()
    else request.once('error', cut).once('close', cut)
  })
}
