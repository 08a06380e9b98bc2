import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { removeTree } from '../../src/archive/remove-tree.ts'
import { mount } from '../../src/linux/mount.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { build, directory, file, symlink } from '../../src/conformance/tree.ts'

describe('removeTree', () => {
  const temp = useTempDir()

  it('deletes names of any bytes, and never what a link leads to', async () => {
    await build(
      temp.path,
      directory('outside'),
      file('outside/precious', 'kept'),
      directory('tree/dir'),
      file(Buffer.from('tree/dir/\xff\xfe', 'latin1')),
      symlink('tree/link', '../outside'),
      symlink('tree/dir/broken', 'nowhere'),
    )
    removeTree(join(temp.path, 'tree'))
    expect(await fs.readdir(temp.path)).to.deep.equal(['outside'])
    expect(await fs.readdir(join(temp.path, 'outside'))).to.deep.equal([
      'precious',
    ])
  })

  it('deletes a single file, and nothing where there is nothing', async () => {
    await build(temp.path, file('alone'))
    removeTree(join(temp.path, 'alone'))
    removeTree(join(temp.path, 'absent'))
    expect(await fs.readdir(temp.path)).to.deep.equal([])
  })

  it('deletes trees that are deeper than any path may be long', async () => {
    const name = 'a directory with a rather long name'.repeat(4)
    let deepest = join(temp.path, 'tree')
    await fs.mkdir(deepest)
    // Halves are joined by renaming, because no path reaches the bottom.
    for (let round = 0; round < 6; round++) {
      const parts = Array.from({ length: 20 }, () => name)
      const piece = join(temp.path, `piece-${round}`)
      await fs.mkdir(join(piece, ...parts), { recursive: true })
      await fs.writeFile(join(piece, ...parts, 'file'), '')
      if (round > 0) {
        const previous = join(temp.path, `piece-${round - 1}`)
        await fs.rename(previous, join(piece, ...parts, 'below'))
      }
      deepest = piece
    }
    await fs.rename(deepest, join(temp.path, 'tree', 'deep'))
    removeTree(join(temp.path, 'tree'))
    expect(await fs.readdir(temp.path)).to.deep.equal([])
  })
})

describe('removeTree', () => {
  needs('root')
  const temp = useTempDir()

  it('does not go into what is mounted in the tree', async () => {
    await build(temp.path, directory('tree/mounted'))
    const mounted = join(temp.path, 'tree/mounted')
    mount({ type: 'tmpfs', source: 'tmpfs', options: [] }, mounted)
    await fs.writeFile(join(mounted, 'precious'), '')
    expect(() => removeTree(join(temp.path, 'tree'))).to.throw(
      /"mounted"|mounted" lies on another filesystem/,
    )
    expect(await fs.readdir(mounted)).to.deep.equal(['precious'])
  })

  it('does not go into a bind of its own filesystem, which looks like its own', async () => {
    await build(
      temp.path,
      directory('outside'),
      file('outside/precious', 'kept'),
      directory('tree/bound'),
    )
    const bound = join(temp.path, 'tree/bound')
    const outside = join(temp.path, 'outside')
    mount({ type: 'bind', source: outside, options: [] }, bound)
    for (const root of ['tree', 'tree/bound']) {
      expect(() => removeTree(join(temp.path, root))).to.throw(/bound/)
    }
    expect(await fs.readdir(outside)).to.deep.equal(['precious'])
  })
})
