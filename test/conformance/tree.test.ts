import { expect } from 'chai'
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
  portray,
  socket,
  symlink,
} from '../../src/conformance/tree.ts'

describe('A portrait of a tree', () => {
  needs('root')
  const home = useTempDir()

  it('shows every attribute of what the steps made', async () => {
    await build(
      home.path,
      directory('bin', { mode: 0o1777, uid: 5 }),
      file('bin/su', 'root', { mode: 0o4755, uid: 1000, mtime: -1n }),
      hardLink('bin/zu', 'bin/su'),
      symlink(Buffer.from('\xff', 'latin1'), '../etc', { gid: 7, mtime: 5 }),
      device('null', 'character', { major: 1, minor: 3 }),
      fifo('fifo', { mode: 0o600 }),
      socket('socket'),
      change('bin', { mtime: 9, xattrs: { 'user.x': 'y' } }),
    )
    const tree = await portray(home.path)
    expect(Object.keys(tree)).to.deep.equal([
      '.',
      'bin',
      'bin/su',
      'bin/zu',
      'fifo',
      'null',
      'socket',
      '\xff',
    ])
    expect(tree.bin).to.deep.equal({
      type: 'directory',
      mode: '1777',
      owner: '5:0',
      mtime: 9_000_000_000n,
      xattrs: { 'user.x': 'y' },
    })
    expect(tree['bin/su']).to.include({ mode: '4755', mtime: -1n, size: 4n })
    expect(tree['bin/zu']).to.include({ linkedTo: 'bin/su' })
    expect(tree['\xff']).to.include({ target: '../etc', owner: '0:7' })
    expect(tree.null).to.include({ type: 'character', device: '1:3' })
  })

  it('changes with each attribute, and with nothing else', async () => {
    await build(home.path, file('a', 'one', { mtime: 1 }), directory('d'))
    const before = await portray(home.path)
    expect(await portray(home.path)).to.deep.equal(before)
    const changes = [
      change('a', { mode: 0o600 }),
      change('a', { gid: 3 }),
      change('a', { mtime: 1_000_000_001n }),
      change('a', { xattrs: { 'user.a': '' } }),
      file('a', 'two', { mtime: 1 }),
      hardLink('b', 'a'),
    ]
    let last = before
    for (const step of changes) {
      await build(home.path, step)
      const next = await portray(home.path, { without: [] })
      expect(next).to.not.deep.equal(last)
      last = next
    }
  })
})
