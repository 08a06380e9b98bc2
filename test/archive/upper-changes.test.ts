import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import * as fc from 'fast-check'
import { sizeOfChanges } from '../../src/archive/changes-size.ts'
import { layerChanges } from '../../src/archive/layer-changes.ts'
import { layerDiff } from '../../src/archive/layer-diff.ts'
import type { TreeSource } from '../../src/archive/tree-source.ts'
import { NotSupportedError } from '../../src/base/errors.ts'
import { setXattr } from '../../src/linux/xattr.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { mountOverlay, type TestOverlay } from '../support/overlay.ts'
import { collect } from '../support/read-tar.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  change,
  directory,
  file,
  hardLink,
  remove,
  type Step,
  symlink,
  whiteoutDevice,
} from '../../src/conformance/tree.ts'

const LETTER = { modified: 'C', added: 'A', deleted: 'D' } as const

async function listed(source: TreeSource): Promise<string[]> {
  const found: string[] = []
  for await (const { path, kind } of layerChanges(source)) {
    found.push(`${LETTER[kind]} ${path.toString('latin1')}`)
  }
  return found
}

describe('The changes in an upper directory of overlay', () => {
  needs('root', 'overlay')
  const home = useTempDir()
  let base = ''

  beforeEach(async () => {
    base = join(home.path, 'base')
    await fs.mkdir(base)
    await build(
      base,
      directory('dir/sub'),
      file('dir/a', 'aa', { mtime: 1_500_000_000 }),
      file('dir/sub/deep', 'deep'),
      directory('dir-1'),
      file('dir-1/x', 'x'),
      file('plain', 'text', { mtime: 1_500_000_000 }),
      symlink('link', 'plain'),
    )
  })

  /** What `steps` change in a merged tree, once both ways agree about it. */
  async function changesBy(...steps: Step[]): Promise<string[]> {
    const overlay = await mountOverlay(home.path, 'layer', [base])
    await build(overlay.merged, ...steps)
    return agreed(overlay, base)
  }

  it('are none in a fresh layer', async () => {
    expect(await changesBy()).to.deep.equal([])
  })

  it('are additions, modifications and deletions, with the directories above', async () => {
    expect(
      await changesBy(
        file('dir/new', 'n'),
        file('plain', 'other'),
        remove('dir/sub/deep'),
        hardLink('dir/also', 'dir/new'),
      ),
    ).to.deep.equal([
      'C /dir',
      'A /dir/also',
      'A /dir/new',
      'C /dir/sub',
      'D /dir/sub/deep',
      'C /plain',
    ])
  })

  it('leave out what was copied up and is as it was', async () => {
    expect(
      await changesBy(
        change('plain', { mode: 0o600 }),
        change('plain', { mode: 0o644 }),
        change('dir/sub', { mode: 0o700 }),
        change('dir/sub', { mode: 0o755 }),
      ),
    ).to.deep.equal([])
  })

  it('find a write of equal size whose time was set back', async () => {
    expect(
      await changesBy(
        file('plain', 'TEXT', { mtime: 1_500_000_000 }),
        file('dir/a', 'AA', { mtime: 1_500_000_000_500_000_000n }),
      ),
    ).to.deep.equal(['C /dir', 'C /dir/a', 'C /plain'])
  })

  it('of a directory made anew delete what it hides', async () => {
    expect(
      await changesBy(remove('dir'), directory('dir/sub'), file('dir/only')),
    ).to.deep.equal([
      'C /dir',
      'D /dir/a',
      'A /dir/only',
      'C /dir/sub',
      'D /dir/sub/deep',
    ])
  })

  it('of a directory in place of a file, and of a file in place of one', async () => {
    expect(
      await changesBy(
        remove('plain'),
        directory('plain'),
        file('plain/child'),
        remove('dir'),
        file('dir'),
      ),
    ).to.deep.equal(['C /dir', 'C /plain', 'A /plain/child'])
  })

  it('see through whiteouts and opaque directories of the lowers', async () => {
    const middle = join(home.path, 'middle')
    await fs.mkdir(middle)
    await build(
      middle,
      whiteoutDevice('plain'),
      directory('dir'),
      file('dir/over', 'o'),
    )
    setXattr(join(middle, 'dir'), 'trusted.overlay.opaque', Buffer.from('y'))
    const parent = await mountOverlay(home.path, 'parent', [middle, base])
    const overlay = await mountOverlay(home.path, 'layer', [middle, base])
    await build(
      overlay.merged,
      file('plain', 'new'),
      file('dir/a', 'new'),
      remove('dir/over'),
      remove('dir-1'),
    )
    expect(await agreed(overlay, parent.merged)).to.deep.equal([
      'C /dir',
      'D /dir-1',
      'A /dir/a',
      'D /dir/over',
      'A /plain',
    ])
  })

  it('agree with those between the merged trees, whatever was done', async function () {
    this.timeout(120_000)
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(action, { maxLength: 6 }), { maxLength: 3 }),
        async (layers) => {
          run += 1
          let lowers: readonly string[] = [base]
          let parent = base
          for (const [index, actions] of layers.entries()) {
            const name = `${run}-${index}`
            const overlay = await mountOverlay(home.path, name, lowers)
            for (const act of actions) await act(overlay.merged)
            await agreed(overlay, parent)
            lowers = [overlay.upper, ...lowers]
            parent = overlay.merged
          }
        },
      ),
      { numRuns: Number(process.env.STOWAGE_RUNS ?? 25) },
    )
  })

  it('that refer to a lower are refused by name', async () => {
    const redirected = await mountOverlay(
      home.path,
      'redirected',
      [base],
      ['redirect_dir=on'],
    )
    await fs.rename(
      join(redirected.merged, 'dir'),
      join(redirected.merged, 'moved'),
    )
    await refused(redirected, /"[^"]*moved".*redirect/)

    const copied = await mountOverlay(
      home.path,
      'metacopy',
      [base],
      ['metacopy=on'],
    )
    await fs.chmod(join(copied.merged, 'plain'), 0o600)
    await refused(copied, /plain".*metacopy/)
  })
})

async function agreed(
  { upper, lowers, merged }: TestOverlay,
  parent: string,
): Promise<string[]> {
  const native = await listed({ upper, lowers })
  expect(native).to.deep.equal(await listed({ tree: merged, parent }))
  expect(await sizeOfChanges({ upper, lowers })).to.equal(
    await sizeOfChanges({ tree: merged, parent }),
  )
  const tars = [
    await collect(await layerDiff({ upper, lowers })),
    await collect(await layerDiff({ tree: merged, parent })),
  ]
  expect(tars[0]!.equals(tars[1]!)).to.equal(true)
  return native
}

async function refused(
  { upper, lowers }: TestOverlay,
  message: RegExp,
): Promise<void> {
  await expectRejection(listed({ upper, lowers }), NotSupportedError, message)
  await expectRejection(
    layerDiff({ upper, lowers }),
    NotSupportedError,
    message,
  )
}

const PATHS = [
  'dir',
  'dir-1',
  'dir/sub',
  'dir/a',
  'dir/sub/deep',
  'plain',
  'new',
]

/** Something that is done to a tree, if it can be done to it. */
const action = fc
  .tuple(
    fc.constantFrom('write', 'mkdir', 'remove', 'chmod', 'move', 'link'),
    fc.constantFrom(...PATHS),
    fc.constantFrom(...PATHS),
  )
  .map(([verb, one, other]) =>
    Object.assign((root: string) => attempt(root, verb, one, other), {
      [fc.toStringMethod]: () => `${verb} ${one} ${other}`,
    }),
  )

async function attempt(
  root: string,
  verb: string,
  one: string,
  other: string,
): Promise<void> {
  const path = join(root, one)
  try {
    if (verb === 'write') await fs.writeFile(path, other)
    else if (verb === 'mkdir') await fs.mkdir(path, { mode: 0o755 })
    else if (verb === 'remove') await fs.rm(path, { recursive: true })
    else if (verb === 'chmod') await fs.chmod(path, 0o700)
    else if (verb === 'move') await fs.rename(path, join(root, other))
    else await fs.link(path, join(root, other))
  } catch {
    // It cannot be done to this tree: then it is not.
  }
}
