import { Readable, type Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { asError } from '../base/errors.ts'
import type { RingBytes } from './ring-bytes.ts'

/** Streams of which nothing has been read, and the bytes behind them. */
const unread = new WeakMap<Readable, RingBytes<void>>()

/**
 * The bytes as a stream like any other, which copies them, because nobody knows how
 * long its reader keeps a chunk. It closes when the thread has let go of the tree.
 */
export function tarStream(bytes: RingBytes<void>): Readable {
  const stream = new Readable({
    highWaterMark: 1,
    read() {
      unread.delete(stream)
      void pushNext(stream, bytes)
    },
    destroy(error, callback) {
      void closeThen(bytes, (failure) => callback(error ?? failure))
    },
  })
  unread.set(stream, bytes)
  return stream
}

/**
 * Sends a tar to its end, as `pipeline` would. One that a thread of ours is making,
 * and that nobody has read from, goes out from where the thread put it.
 *
 * @throws what went wrong on either side; both are closed then.
 */
export async function sendTar(tar: Readable, to: Writable): Promise<void> {
  const bytes = unread.get(tar)
  if (bytes === undefined || tar.destroyed) {
    await pipeline(tar, to)
    return
  }
  unread.delete(tar)
  // A receiver that goes away answers no more writes; the next bytes never come.
  to.once('close', () => tar.destroy())
  const sent = failureOf(finished(to))
  try {
    await writeAll(bytes, to)
    to.end()
    const failure = await sent
    if (failure !== undefined) throw failure
  } catch (error) {
    to.destroy(asError(error))
    throw error
  } finally {
    tar.destroy()
  }
}

/** As many writes are on their way at once as there are slots. */
async function writeAll(bytes: RingBytes<void>, to: Writable): Promise<void> {
  for (;;) {
    const chunk = await bytes.take()
    if (chunk === undefined) return
    to.write(chunk, () => bytes.giveBack())
  }
}

async function failureOf(task: Promise<void>): Promise<Error | undefined> {
  try {
    await task
    return undefined
  } catch (error) {
    return asError(error)
  }
}

async function pushNext(
  stream: Readable,
  bytes: RingBytes<void>,
): Promise<void> {
  try {
    const chunk = await bytes.take()
    stream.push(chunk === undefined ? null : Buffer.from(chunk))
    if (chunk !== undefined) bytes.giveBack()
  } catch (error) {
    stream.destroy(asError(error))
  }
}

async function closeThen(
  bytes: RingBytes<void>,
  callback: (failure: Error | null) => void,
): Promise<void> {
  const failure = await failureOf(bytes[Symbol.asyncDispose]())
  callback(failure ?? null)
}
