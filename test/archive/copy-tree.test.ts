import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { copyTree } from '../../src/archive/copy-tree.ts'
import { mount } from '../../src/linux/mount.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useLoopFilesystem } from '../support/loop-filesystem.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  change,
  device,
  directory,
  fifo,
  file,
  hardLink,
  portray,
  socket,
  sparseFile,
  type Step,
  symlink,
} from '../../src/conformance/tree.ts'

const EVERYTHING: readonly Step[] = [
  directory('dir', { mode: 0o1751, uid: 1, gid: 2 }),
  file('dir/setuid', 'program', { mode: 0o6755, uid: 5 }),
  file('dir/old', 'times', { mtime: -1_500_000_001n }),
  file('precise', '', { mtime: 1_234_567_890_123_456_789n }),
  file('attributes', 'x', {
    xattrs: { 'user.colour': 'green', 'trusted.secret': 'yes' },
  }),
  file('capable', 'x', {
    xattrs: {
      'security.capability': Buffer.from(
        '0100000200200000000000000000000000000000',
        'hex',
      ),
    },
  }),
  file(Buffer.from('name of \xff bytes', 'latin1'), 'bytes'),
  hardLink('dir/again', 'precise'),
  symlink('link', 'dir/setuid', { uid: 9, gid: 9, mtime: 1_000 }),
  symlink('broken', Buffer.from('\xfe', 'latin1')),
  hardLink('link again', 'link'),
  device('null', 'character', { major: 1, minor: 3 }, { mode: 0o666 }),
  device('disk', 'block', { major: 259, minor: 70_000 }),
  hardLink('null again', 'null'),
  fifo('pipe', { mode: 0o620, uid: 4 }),
  socket('socket'),
  sparseFile('sparse', 5_000_000, { 1_000_000: 'data' }),
  change('dir', { mtime: 99 }),
  change('.', { mode: 0o701, uid: 3, mtime: 77 }),
]

describe('copyTree', () => {
  needs('root')
  const temp = useTempDir()

  it('copies everything that a tree can say', async () => {
    const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')]
    await fs.mkdir(from)
    await build(from, ...EVERYTHING)
    const before = await portray(from)
    copyTree(from, to)
    expect(await portray(to)).to.deep.equal(before)
    expect((await fs.stat(join(to, 'sparse'))).blocks).to.be.lessThan(100)
  })

  it('takes nothing over from where the copy is made', async () => {
    const [from, to] = [join(temp.path, 'from'), join(temp.path, 'in/to')]
    const tree = [file('plain', 'x', { mode: 0o664 }), directory('dir')]
    await build(temp.path, directory('from'), directory('in', { gid: 7 }))
    await build(from, ...tree)
    await fs.chmod(join(temp.path, 'in'), 0o2755)
    copyTree(from, to)
    expect(await portray(to)).to.deep.equal(await portray(from))
  })

  it('leaves what the copy is made of as it was', async () => {
    const from = join(temp.path, 'from')
    await fs.mkdir(from)
    await build(from, ...EVERYTHING)
    const before = await portray(from)
    copyTree(from, join(temp.path, 'to'))
    expect(await portray(from)).to.deep.equal(before)
  })

  it('does not go into what is mounted in the tree', async () => {
    const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')]
    await build(temp.path, directory('from/mounted'))
    mount(
      { type: 'tmpfs', source: 'tmpfs', options: [] },
      join(from, 'mounted'),
    )
    await fs.writeFile(join(from, 'mounted/elsewhere'), '')
    copyTree(from, to)
    expect(await fs.readdir(join(to, 'mounted'))).to.deep.equal([])
  })

  it('fails where something is in the way', async () => {
    await build(temp.path, directory('from'), directory('to'))
    const copy = () => copyTree(join(temp.path, 'from'), join(temp.path, 'to'))
    expect(copy).to.throw(/EEXIST/)
  })
})

for (const kind of ['xfs', 'btrfs'] as const) {
  describe(`copyTree on ${kind}`, () => {
    const disk = useLoopFilesystem(kind)
    const temp = useTempDir(() => disk.path)

    it('copies everything, and shares the blocks of files', async () => {
      const [from, to] = [join(temp.path, 'from'), join(temp.path, 'to')]
      await fs.mkdir(from)
      await build(from, ...EVERYTHING, file('big', 'x'.repeat(40_000_000)))
      const before = await portray(from)
      const { bfree } = await fs.statfs(disk.path)
      copyTree(from, to)
      expect(await portray(to)).to.deep.equal(before)
      const after = await fs.statfs(disk.path)
      const taken = (bfree - after.bfree) * after.bsize
      expect(taken).to.be.lessThan(20_000_000)
    })
  })
}
