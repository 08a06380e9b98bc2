import { Readable } from 'node:stream'

/**
 * A stream over a generator that has already produced its first chunk.
 *
 * What fails early then fails here, while an error can still be answered, and
 * the generator's cleanup runs even for a stream that nobody reads: a generator
 * that has not started has no cleanup to run.
 */
export async function startedStream(
  chunks: AsyncGenerator<Uint8Array, void>,
): Promise<Readable> {
  let first: IteratorResult<Uint8Array, void> | undefined = await chunks.next()
  return Readable.from(
    {
      [Symbol.asyncIterator]: () => ({
        async next(): Promise<IteratorResult<Uint8Array, void>> {
          const result = first ?? (await chunks.next())
          first = undefined
          return result
        },
        return: () => chunks.return(),
      }),
    },
    { objectMode: false },
  )
}
