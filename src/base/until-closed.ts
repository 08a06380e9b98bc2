import type { Readable, Writable } from 'node:stream'

/** Settles once `stream` has closed, well or badly, and never rejects. */
export async function untilClosed(stream: Readable | Writable): Promise<void> {
  if (stream.closed) return
  await new Promise((resolve) => stream.once('close', resolve))
}
