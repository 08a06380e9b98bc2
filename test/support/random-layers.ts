import * as fs from 'node:fs/promises'
import * as fc from 'fast-check'
import { NO_ID_MAPS } from '../../src/archive/id-map.ts'
import { Lane } from '../../src/archive/lane.ts'
import { LayerExtractor } from '../../src/archive/layer-extractor.ts'
import { DEFAULT_LIMITS } from '../../src/archive/limits.ts'
import { TarReader } from '../../src/archive/tar/tar-reader.ts'
import { openInRoot } from '../../src/linux/in-root.ts'
import {
  forgeEntry,
  type ForgedEntry,
} from '../../src/conformance/forge-tar.ts'
import {
  build,
  directory,
  file,
  portray,
  symlink,
} from '../../src/conformance/tree.ts'

/** When what archives describe was changed. */
const LONG_AGO = 1_500_000_000

/** Few names, so that entries get in each other's way. */
const name = fc.constantFrom('a', 'b', 'lnk', 'new')
const path = fc
  .array(name, { minLength: 1, maxLength: 4 })
  .map((names) => names.join('/'))

const entry: fc.Arbitrary<ForgedEntry> = fc
  .record({
    path,
    target: fc.oneof(
      path,
      path.map((p) => `/${p}`),
      fc.constant('..'),
    ),
    kind: fc.constantFrom(
      'file',
      'file',
      'file',
      'file',
      'directory',
      'directory',
      'symlink',
      'hard link',
      'whiteout',
      'opaque',
      'fifo',
    ),
    content: fc.constantFrom('', 'x', 'y'.repeat(3000)),
    mode: fc.constantFrom(0o644, 0o4755, 0o700),
  })
  .map(({ path: at, target, kind, content, mode }): ForgedEntry => {
    const slash = at.lastIndexOf('/') + 1
    switch (kind) {
      case 'directory':
        return { name: `${at}/`, type: '5', mode, mtime: LONG_AGO }
      case 'symlink':
        return { name: at, type: '2', linkName: target, mtime: LONG_AGO }
      case 'hard link':
        return { name: at, type: '1', linkName: target, mode, mtime: LONG_AGO }
      case 'whiteout':
        return { name: `${at.slice(0, slash)}.wh.${at.slice(slash)}` }
      case 'opaque':
        return { name: `${at}/.wh..wh..opq` }
      case 'fifo':
        return { name: at, type: '6', mode, mtime: LONG_AGO }
      case 'file':
        break
    }
    return { name: at, content, mode, mtime: LONG_AGO }
  })

/** Layers full of entries that contradict each other. */
export const contradictoryLayers = fc.array(entry, {
  minLength: 1,
  maxLength: 80,
})

/** What is below them. */
export async function buildBelow(root: string): Promise<void> {
  await fs.mkdir(root, { mode: 0o755 })
  await build(
    root,
    directory('a/b', { mode: 0o750, uid: 3 }),
    file('a/b/a', 'below', { xattrs: { 'user.below': 'x' } }),
    directory('a/new/lnk', { xattrs: { 'user.below': 'y' } }),
    file('b', 'below'),
    symlink('lnk', 'a'),
  )
}

/**
 * Applies `entries` by one thread, one after the other, and answers the number of
 * the one that failed, if one did.
 */
export function applyInOrder(
  root: string,
  entries: readonly ForgedEntry[],
): number | undefined {
  using confined = openInRoot(root)
  using extractor = new LayerExtractor(confined, {
    idMaps: NO_ID_MAPS,
    limits: DEFAULT_LIMITS,
    isFresh: false,
    isUpper: false,
    lane: Lane.alone(),
  })
  const reader = new TarReader(extractor, DEFAULT_LIMITS)
  for (const [i, each] of entries.entries()) {
    try {
      reader.push(forgeEntry(each))
    } catch {
      return i
    }
  }
  extractor.finish()
  return undefined
}

/** `entries` without those at which an apply would end. */
export async function possible(
  root: string,
  entries: readonly ForgedEntry[],
): Promise<ForgedEntry[]> {
  const kept = [...entries]
  for (;;) {
    await buildBelow(root)
    const failed = applyInOrder(root, kept)
    await fs.rm(root, { recursive: true })
    if (failed === undefined) return kept
    kept.splice(failed, 1)
  }
}

/** Everything in the tree, but for times that no archive described. */
export async function describedTree(
  root: string,
): Promise<Record<string, unknown>> {
  const described = BigInt(LONG_AGO) * 1_000_000_000n
  return Object.fromEntries(
    Object.entries(await portray(root)).map(([at, portrait]) => [
      at,
      { ...portrait, mtime: portrait.mtime === described ? described : 'now' },
    ]),
  )
}
