import { setImmediate } from 'node:timers/promises'
import type { Change } from './changes.ts'
import { openWalk, type TreeSource } from './tree-source.ts'

/** How long the main thread may be kept from its other work, in milliseconds. */
const TURN = 5

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
  using opened = openWalk(source)
  let turn = performance.now()
  for (;;) {
    const change = opened.walk.next()
    if (change === undefined) return
    const path = Buffer.from(`/${change.path}`, 'latin1')
    yield { path, kind: change.kind }
    if (performance.now() - turn < TURN) continue
    await setImmediate()
    turn = performance.now()
  }
}
