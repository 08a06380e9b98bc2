import { ChangeReader } from './change-records.ts'
import type { Change } from './changes.ts'
import { RingBytes } from './ring-bytes.ts'
import type { TreeSource } from './tree-source.ts'

/**
 * The changes of `source` in the byte order of their paths; the root itself is
 * never listed.
 *
 * By Docker's rules: a directory in which something changed is modified; of what
 * was in a deleted one nothing is told; a directory in place of a file, or a file in
 * place of a directory, is modified. Other than with Docker, a file of equal size
 * and time is read where nothing else proves that it is the same.
 *
 * @throws NotSupportedError for an upper directory that refers to its lowers.
 */
export async function* layerChanges(
  source: TreeSource,
): AsyncGenerator<Change, void> {
  await using bytes = await RingBytes.open((thread, memory) =>
    thread.call('changes', source, memory),
  )
  const reader = new ChangeReader()
  for (;;) {
    const piece = await bytes.take()
    if (piece === undefined) return
    yield* reader.read(piece)
    bytes.giveBack()
  }
}
