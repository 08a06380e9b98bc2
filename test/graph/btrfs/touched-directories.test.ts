import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import * as fc from 'fast-check'
import type { Change } from '../../../src/archive/changes.ts'
import { layerChanges } from '../../../src/archive/layer-changes.ts'
import type { ComparedTrees } from '../../../src/archive/tree-source.ts'
import {
  type ComparedSubvolumes,
  touchedDirectories,
} from '../../../src/graph/btrfs/touched-directories.ts'
import { directoriesTouchedSince } from '../../../src/linux/btrfs-inodes.ts'
import {
  createSubvolume,
  deleteSubvolume,
  snapshotSubvolume,
} from '../../../src/linux/btrfs.ts'
import { useLoopFilesystem } from '../../support/loop-filesystem.ts'
import { useTempDir } from '../../../src/conformance/temp-dir.ts'

/** How many random histories are tried. */
const RUNS = Number(process.env.STOWAGE_HISTORIES ?? 15)

const DIRECTORIES = ['a', 'a/b', 'a/b/c', 'a-b', 'd', 'd/e']
const FILES = DIRECTORIES.flatMap((path) => [`${path}/1`, `${path}/2`])
const anyPath = fc.constantFrom(...DIRECTORIES, ...FILES)

/** Something that may happen to a tree; what is not possible does not happen. */
const anyDeed = fc.oneof(
  fc.record({ do: fc.constant('write' as const), path: anyPath }),
  fc.record({ do: fc.constant('same size' as const), path: anyPath }),
  fc.record({ do: fc.constant('read' as const), path: anyPath }),
  fc.record({ do: fc.constant('chmod' as const), path: anyPath }),
  fc.record({ do: fc.constant('remove' as const), path: anyPath }),
  fc.record({ do: fc.constant('mkdir' as const), path: anyPath }),
  fc.record({ do: fc.constant('rename' as const), path: anyPath, to: anyPath }),
  fc.record({ do: fc.constant('link' as const), path: anyPath, to: anyPath }),
)
type Deed = typeof anyDeed extends fc.Arbitrary<infer T> ? T : never

describe('touchedDirectories', () => {
  const disk = useLoopFilesystem('btrfs')
  const home = useTempDir(() => disk.path)
  const trees = () => ({
    tree: join(home.path, 'child'),
    parent: join(home.path, 'parent'),
  })

  beforeEach(async () => {
    const { parent } = trees()
    await createSubvolume(parent)
    for (const path of DIRECTORIES) await fs.mkdir(join(parent, path))
    for (const path of FILES) await fs.writeFile(join(parent, path), path)
  })

  it('leave out nothing that comparing all would find, whatever happened', async function () {
    this.timeout(60_000 + RUNS * 1000)
    await fc.assert(
      fc.asyncProperty(fc.array(anyDeed, { maxLength: 12 }), async (deeds) => {
        const { tree, parent } = trees()
        await snapshotSubvolume(parent, tree)
        try {
          for (const deed of deeds) await perform(tree, deed)
          const touched = await touchedIn({ tree, parent })
          expect(touched).to.not.equal(undefined)
          const short = await changesOf({ tree, parent, touched })
          expect(short).to.deep.equal(await changesOf({ tree, parent }))
        } finally {
          await deleteSubvolume(tree)
        }
      }),
      { numRuns: RUNS },
    )
  })

  it('pass over what nobody touched', async () => {
    const { tree, parent } = trees()
    await snapshotSubvolume(parent, tree)
    await fs.writeFile(join(tree, 'd/1'), 'changed')
    const touched = await touchedIn({ tree, parent })
    expect(touched?.size).to.equal(2)
  })

  it('vouch for nothing beside a subvolume that a container nested', async () => {
    const { tree, parent } = trees()
    await createSubvolume(join(parent, 'd/e/nested'))
    await fs.writeFile(join(parent, 'd/e/nested/file'), '')
    await snapshotSubvolume(parent, tree)
    expect(await touchedIn({ tree, parent })).to.equal(undefined)
  })

  it('vouch for nothing once the parent was written, or is another', async () => {
    const { tree, parent } = trees()
    await snapshotSubvolume(parent, tree)
    await fs.writeFile(join(parent, 'late'), '')
    expect(await touchedIn({ tree, parent })).to.equal(undefined)
    await deleteSubvolume(parent)
    await createSubvolume(parent)
    expect(await touchedIn({ tree, parent })).to.equal(undefined)
  })
})

function touchedIn(
  trees: ComparedSubvolumes,
): Promise<ReadonlySet<bigint> | undefined> {
  return touchedDirectories(trees, async (descent) =>
    directoriesTouchedSince(descent),
  )
}

async function changesOf(trees: ComparedTrees): Promise<readonly Change[]> {
  const changes: Change[] = []
  for await (const found of layerChanges(trees)) changes.push(found)
  return changes
}

async function perform(tree: string, deed: Deed): Promise<void> {
  const path = join(tree, deed.path)
  try {
    switch (deed.do) {
      case 'write':
        await fs.writeFile(path, 'something longer')
        return
      case 'same size':
        await fs.writeFile(path, deed.path.replaceAll('/', '-'))
        return
      case 'read':
        await fs.readdir(path)
        return
      case 'chmod':
        await fs.chmod(path, 0o700)
        return
      case 'remove':
        await fs.rm(path, { recursive: true })
        return
      case 'mkdir':
        await fs.mkdir(path)
        return
      case 'rename':
        await fs.rename(path, join(tree, deed.to))
        return
      case 'link':
        await fs.link(path, join(tree, deed.to))
        return
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
  }
}
