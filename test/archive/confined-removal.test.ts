import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { removeBelow, removeNode } from '../../src/archive/confined-removal.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { build, directory, file, symlink } from '../../src/conformance/tree.ts'
import { openInRoot } from '../../src/linux/in-root.ts'

describe('A removal in a confined root', () => {
  needs('root')
  const home = useTempDir()
  let tree = ''

  beforeEach(async () => {
    tree = join(home.path, 'tree')
    await build(
      home.path,
      directory('outside'),
      file('outside/kept', ''),
      directory('tree/dir/a/b'),
      file('tree/file', ''),
      file('tree/dir/a/b/c', ''),
      file('tree/dir/d', ''),
      symlink('tree/dir/out', '../../outside'),
      symlink('tree/link', '../outside'),
    )
  })

  it('says what there was', () => {
    using root = openInRoot(tree)
    expect(removeNode(root, 'absent')).to.equal('nothing')
    expect(removeNode(root, 'file')).to.equal('node')
    expect(removeNode(root, 'link')).to.equal('node')
    expect(removeNode(root, 'dir')).to.equal('directory')
  })

  it('follows no link', async () => {
    using root = openInRoot(tree)
    for (const name of ['link', 'dir']) removeNode(root, name)
    expect(await fs.readdir(tree)).to.deep.equal(['file'])
    expect(await fs.readdir(join(home.path, 'outside'))).to.deep.equal(['kept'])
  })

  it('spares what is kept, and the way to it', async () => {
    using root = openInRoot(tree)
    const kept = new Set(['dir', 'dir/a', 'dir/a/b'])
    removeBelow(root, '', (path) => kept.has(path))
    const left = await fs.readdir(tree, { recursive: true })
    expect(left.toSorted()).to.deep.equal([...kept])
  })

  it('goes as deep as the tree, however deep that is', async () => {
    const deep = Array.from({ length: 600 }, () => 'd').join('/')
    await fs.mkdir(join(tree, 'deep', deep), { recursive: true })
    using root = openInRoot(tree)
    expect(removeNode(root, 'deep')).to.equal('directory')
    expect(await fs.readdir(tree)).not.to.include('deep')
  })
})
