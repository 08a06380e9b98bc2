import type { Change } from '../archive/changes.ts'

const WIRE_KIND = { modified: 0, added: 1, deleted: 2 } as const

/** A change as Docker reads it. */
interface WireChange {
  readonly Path: string
  readonly Kind: 0 | 1 | 2
}

/** The changes in the answer to `GraphDriver.Changes`. */
export async function* wireChanges(
  changes: AsyncIterable<Change>,
): AsyncGenerator<WireChange, void> {
  for await (const { path, kind } of changes) {
    yield { Path: path.toString(), Kind: WIRE_KIND[kind] }
  }
}
