import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import * as fc from 'fast-check'
import { applyLayer } from '../../src/archive/layer-apply.ts'
import { LayerExtractor } from '../../src/archive/layer-extractor.ts'
import { Lane } from '../../src/archive/lane.ts'
import { NO_ID_MAPS } from '../../src/archive/id-map.ts'
import { DEFAULT_LIMITS } from '../../src/archive/limits.ts'
import { TarReader } from '../../src/archive/tar/tar-reader.ts'
import { openInRoot } from '../../src/linux/in-root.ts'
import { needs } from '../support/capabilities.ts'
import { forgeEntry, type ForgedEntry, forgeTar } from '../support/forge-tar.ts'
import { useTempDir } from '../support/temp-dir.ts'
import { build, directory, file, portray, symlink } from '../support/tree.ts'

const RUNS = Number(process.env.STOWAGE_TEST_RUNS ?? 40)
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
        return { name: `${at}/`, type: '5', mode }
      case 'symlink':
        return { name: at, type: '2', linkName: target }
      case 'hard link':
        return { name: at, type: '1', linkName: target, mode }
      case 'whiteout':
        return { name: `${at.slice(0, slash)}.wh.${at.slice(slash)}` }
      case 'opaque':
        return { name: `${at}/.wh..wh..opq` }
      case 'fifo':
        return { name: at, type: '6', mode }
      case 'file':
        break
    }
    return { name: at, content, mode }
  })

describe('LanePlan', () => {
  needs('root')
  const dir = useTempDir()
  let round = 0

  async function freshTree(): Promise<string> {
    const root = join(dir.path, `tree-${round++}`)
    await fs.mkdir(root)
    await build(
      root,
      directory('a/b'),
      file('a/b/a', 'below'),
      file('b', 'below'),
      symlink('lnk', 'a'),
    )
    return root
  }

  async function treeAfter(apply: (root: string) => unknown): Promise<unknown> {
    const root = await freshTree()
    await apply(root)
    const found = Object.entries(await portray(root)).map(([at, portrait]) => {
      // What the archive does not describe has the time of its making.
      const isNew = portrait.mtime > BigInt(LONG_AGO) * 1_100_000_000n
      return [at, { ...portrait, mtime: isNew ? 'now' : portrait.mtime }]
    })
    await fs.rm(root, { recursive: true })
    return found
  }

  /** Without those entries at which an apply ends with an error. */
  async function possible(
    entries: readonly ForgedEntry[],
  ): Promise<ForgedEntry[]> {
    const kept = [...entries]
    for (;;) {
      const root = await freshTree()
      const failed = applyInOrder(root, kept)
      await fs.rm(root, { recursive: true })
      if (failed === undefined) return kept
      kept.splice(failed, 1)
    }
  }

  it('makes the same tree as one thread that takes all in order', async function () {
    this.timeout(600_000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { minLength: 1, maxLength: 80 }),
        async (entries) => {
          const layer = await possible(entries)
          const expected = await treeAfter((root) => applyInOrder(root, layer))
          const found = await treeAfter((root) =>
            applyLayer(root, Readable.from([forgeTar(...layer)])),
          )
          expect(found, JSON.stringify(layer)).to.deep.equal(expected)
        },
      ),
      { numRuns: RUNS },
    )
  })
})

/** By one thread, entry by entry. Answers the number of the one that failed. */
function applyInOrder(
  root: string,
  entries: readonly ForgedEntry[],
): number | undefined {
  using confined = openInRoot(root)
  using extractor = new LayerExtractor(confined, {
    idMaps: NO_ID_MAPS,
    limits: DEFAULT_LIMITS,
    isFresh: false,
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
