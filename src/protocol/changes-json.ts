import type { Change } from '../archive/changes.ts'

const WIRE_KIND = { modified: 0, added: 1, deleted: 2 } as const

/** Big enough that a chunk costs little, small enough that a million changes are no burden. */
const CHUNK_SIZE = 64 * 1024

/**
 * The reply to `GraphDriver.Changes`, written while the changes are found: there
 * may be millions, and nobody needs them all at once.
 */
export async function* changesJson(
  changes: AsyncIterable<Change>,
): AsyncGenerator<Buffer, void> {
  let text = '{"Changes":['
  let separator = ''
  for await (const { path, kind } of changes) {
    const change = { Path: path.toString(), Kind: WIRE_KIND[kind] }
    text += separator + JSON.stringify(change)
    separator = ','
    if (text.length < CHUNK_SIZE) continue
    yield Buffer.from(text)
    text = ''
  }
  yield Buffer.from(`${text}]}`)
}
