import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { layerChanges } from '../../src/archive/layer-changes.ts'
import type { TreeSource } from '../../src/archive/tree-source.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  change,
  device,
  directory,
  fifo,
  file,
  hardLink,
  remove,
  socket,
  type Step,
  symlink,
} from '../../src/conformance/tree.ts'

/** A capability as the kernel takes it: of version 2, permitting and effective. */
const CAPABILITY = Buffer.from(`0100000200200000${'00'.repeat(12)}`, 'hex')

describe('The changes between two trees', () => {
  needs('root')
  const home = useTempDir()
  const BASE = [
    directory('dir'),
    file('dir/a', 'aa', { mtime: 1_500_000_000 }),
    file('dir/b', 'bb', { mtime: 1_500_000_000 }),
    directory('other'),
    file('other/x', 'x'),
    file('plain', 'text', { mtime: 1_500_000_000 }),
    symlink('link', 'dir/a', { mtime: 1_500_000_000 }),
  ]

  /** What `steps` change in a copy of what BASE and `base` make. */
  async function changesBy(
    steps: readonly Step[],
    base: readonly Step[] = [],
  ): Promise<string[]> {
    const parent = join(home.path, 'parent')
    const tree = join(home.path, 'tree')
    await fs.mkdir(parent)
    await build(parent, ...BASE, ...base)
    execFileSync('cp', ['-a', parent, tree])
    await build(tree, ...steps)
    return listed({ tree, parent })
  }

  it('are none where nothing changed', async () => {
    expect(await changesBy([])).to.deep.equal([])
  })

  it('of an added file include the directory that has it', async () => {
    expect(await changesBy([file('dir/new')])).to.deep.equal([
      'C /dir',
      'A /dir/new',
    ])
  })

  it('name a deleted directory once, and nothing that was in it', async () => {
    const deep = [directory('dir/sub/deep'), file('dir/sub/deep/file')]
    expect(await changesBy([remove('dir/sub')], deep)).to.deep.equal([
      'C /dir',
      'D /dir/sub',
    ])
  })

  for (const [what, attributes] of [
    ['permissions', { mode: 0o600 }],
    ['owner', { uid: 1 }],
    ['group', { gid: 1 }],
    ['setuid bit', { mode: 0o4644 }],
    ['second', { mtime: 1_500_000_001 }],
    ['capability', { xattrs: { 'security.capability': CAPABILITY } }],
  ] as const) {
    it(`see that only the ${what} changed`, async () => {
      expect(await changesBy([change('plain', attributes)])).to.deep.equal([
        'C /plain',
      ])
    })
  }

  it('see that a capability was taken away', async () => {
    const xattrs = { 'security.capability': CAPABILITY }
    const parent = [file('able', 'x', { xattrs, mtime: 7 })]
    expect(
      await changesBy(
        [remove('able'), file('able', 'x', { mtime: 7 })],
        parent,
      ),
    ).to.deep.equal(['C /able'])
  })

  it('are none for a directory that was only touched', async () => {
    expect(await changesBy([change('dir', { mtime: 5 })])).to.deep.equal([])
  })

  it('find a write of equal size within the second of a time without nanoseconds', async () => {
    const later = 1_500_000_000_500_000_000n
    expect(
      await changesBy([file('plain', 'TEXT', { mtime: later })]),
    ).to.deep.equal(['C /plain'])
  })

  it('find a write of equal size whose time was set back', async () => {
    expect(
      await changesBy([file('plain', 'TEXT', { mtime: 1_500_000_000 })]),
    ).to.deep.equal(['C /plain'])
  })

  it('find such a write at the far end of a long file', async () => {
    const long = Buffer.alloc(300_000)
    const other = Buffer.from(long)
    other[299_999] = 1
    expect(
      await changesBy(
        [file('long', other, { mtime: 1 })],
        [file('long', long, { mtime: 1 })],
      ),
    ).to.deep.equal(['C /long'])
  })

  it('are none where nanoseconds were lost and the bytes are the same', async () => {
    const exact = 1_500_000_000_500_000_000n
    expect(
      await changesBy(
        [change('file', { mtime: 1_500_000_000 })],
        [file('file', 'same', { mtime: exact })],
      ),
    ).to.deep.equal([])
  })

  it('see nanoseconds that differ where both times have some', async () => {
    expect(
      await changesBy(
        [change('file', { mtime: 1_500_000_000_000_000_002n })],
        [file('file', 'same', { mtime: 1_500_000_000_000_000_001n })],
      ),
    ).to.deep.equal(['C /file'])
  })

  it('see a link that points elsewhere, even at equal length and time', async () => {
    const steps = [
      remove('link'),
      symlink('link', 'dir/b', { mtime: 1_500_000_000 }),
    ]
    expect(await changesBy(steps)).to.deep.equal(['C /link'])
  })

  it('of a file that became a directory are that and its children', async () => {
    const steps = [remove('plain'), directory('plain'), file('plain/child')]
    expect(await changesBy(steps)).to.deep.equal(['C /plain', 'A /plain/child'])
  })

  it('of a directory that became a file are that alone', async () => {
    expect(await changesBy([remove('dir'), file('dir')])).to.deep.equal([
      'C /dir',
    ])
  })

  it('of a new name for an old file are the new name', async () => {
    expect(await changesBy([hardLink('plain2', 'plain')])).to.deep.equal([
      'A /plain2',
    ])
  })

  it('list sockets, FIFOs and devices, whose numbers count', async () => {
    const number = { major: 7, minor: 300 }
    const steps = [
      socket('socket'),
      fifo('fifo'),
      device('new', 'block', number),
      remove('old'),
      device('old', 'block', number, { mtime: 1 }),
    ]
    const old = device('old', 'block', { major: 7, minor: 1 }, { mtime: 1 })
    expect(await changesBy(steps, [old])).to.deep.equal([
      'A /fifo',
      'A /new',
      'C /old',
      'A /socket',
    ])
  })

  it('come in the byte order of whole paths, parents first', async () => {
    const names = [
      directory('zdir'),
      directory('zdir-1'),
      directory('zdir/sub'),
      directory('zdir/sub-1'),
    ]
    const steps = [
      file('zdir/f'),
      file('zdir-1/f'),
      file('zdir/sub/f'),
      file('zdir/sub-1/f'),
      file('zdir '),
      file(Buffer.from('zdir\xff', 'latin1')),
      remove('dir/a'),
    ]
    const found = await changesBy(steps, names)
    expect(found).to.deep.equal([
      'C /dir',
      'D /dir/a',
      'C /zdir',
      'A /zdir ',
      'C /zdir-1',
      'A /zdir-1/f',
      'A /zdir/f',
      'C /zdir/sub',
      'C /zdir/sub-1',
      'A /zdir/sub-1/f',
      'A /zdir/sub/f',
      'A /zdir\xff',
    ])
  })

  it('do without a directory that had to be looked into and had none', async () => {
    const names = [directory('z'), file('z/same'), directory('z-1')]
    expect(await changesBy([file('z-1/new')], names)).to.deep.equal([
      'C /z-1',
      'A /z-1/new',
    ])
  })

  it('against nothing are all there is', async () => {
    const tree = join(home.path, 'tree')
    await fs.mkdir(tree)
    await build(tree, ...BASE)
    expect(await listed({ tree })).to.deep.equal([
      'A /dir',
      'A /dir/a',
      'A /dir/b',
      'A /link',
      'A /other',
      'A /other/x',
      'A /plain',
    ])
  })

  it('trust that what changed last before the copy is the same', async () => {
    const parent = join(home.path, 'parent')
    const tree = join(home.path, 'tree')
    await build(home.path, directory('parent'), directory('tree'))
    await build(parent, file('a', 'aa', { mtime: 1 }), file('b', 'bb'))
    await build(tree, file('a', 'AA', { mtime: 1 }))
    const copied = {
      changedSeconds: Number.MAX_SAFE_INTEGER,
      changedNanoseconds: 0,
    }
    expect(await listed({ tree, parent, copied })).to.deep.equal(['D /b'])
    const early = { changedSeconds: 1, changedNanoseconds: 0 }
    expect(await listed({ tree, parent, copied: early })).to.deep.equal([
      'C /a',
      'D /b',
    ])
  })

  it('are found in a tree deeper than one may have directories open', async () => {
    const tree = join(home.path, 'tree')
    const deep = Array.from({ length: 300 }, () => 'd').join('/')
    await build(home.path, directory(`tree/${deep}`), file(`tree/${deep}/f`))
    const found = await listed({ tree })
    expect(found).to.have.length(301)
    expect(found.at(-1)).to.equal(`A /${deep}/f`)
  })

  it('in a tree that cannot be opened are an error that names it', async () => {
    let message = ''
    try {
      await listed({ tree: join(home.path, 'absent') })
    } catch (error) {
      message = String(error)
    }
    expect(message).to.match(/ENOENT.*absent/)
  })
})

const LETTER = { modified: 'C', added: 'A', deleted: 'D' } as const

async function listed(source: TreeSource): Promise<string[]> {
  const found: string[] = []
  for await (const { path, kind } of layerChanges(source)) {
    found.push(`${LETTER[kind]} ${path.toString('latin1')}`)
  }
  return found
}
