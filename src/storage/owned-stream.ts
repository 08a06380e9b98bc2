import { addAbortSignal, Readable } from 'node:stream'
import { asError } from '../base/errors.ts'
import { untilClosed } from '../base/until-closed.ts'

/**
 * A stream of what `inner` yields that owns what `inner` reads from.
 *
 * However it ends (read to its end, failed, destroyed, aborted, or never read at
 * all but destroyed) `inner` is closed first, then `letGo` runs, once, and only
 * then does the stream say `close`. So a tree is never unmounted under its reader.
 * Should letting go fail, the stream fails with that, unless it failed before.
 */
export function ownedStream(
  inner: Readable,
  letGo: () => Promise<void>,
  signal?: AbortSignal,
): Readable {
  const outer = new Readable({
    read: () => {
      inner.resume()
    },
    destroy: (error, done) => {
      void release(inner, letGo, error, done)
    },
  })
  inner.pause()
  inner.on('data', (chunk: Buffer) => {
    if (!outer.push(chunk)) inner.pause()
  })
  inner.once('end', () => outer.push(null))
  inner.once('error', (error) => outer.destroy(error))
  inner.once('close', () => {
    if (!inner.readableEnded) outer.destroy(new Error('The source was closed'))
  })
  return signal === undefined ? outer : addAbortSignal(signal, outer)
}

async function release(
  inner: Readable,
  letGo: () => Promise<void>,
  failure: Error | null,
  done: (error?: Error | null) => void,
): Promise<void> {
  try {
    // It may fail on its way out; what is told then is the failure before.
    inner.on('error', () => undefined)
    inner.destroy()
    await untilClosed(inner)
    await letGo()
    done(failure)
  } catch (error) {
    done(failure ?? asError(error))
  }
}
