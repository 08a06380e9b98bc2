import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  directoriesTouchedSince,
  inodesSince,
} from '../../src/linux/btrfs-inodes.ts'
import {
  createSubvolume,
  deleteSubvolume,
  snapshotSubvolume,
  subvolumeHistory,
  syncFilesystem,
} from '../../src/linux/btrfs.ts'
import { useLoopFilesystem } from '../support/loop-filesystem.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('inodesSince', () => {
  const disk = useLoopFilesystem('btrfs')
  const home = useTempDir(() => disk.path)
  const at = (...names: string[]) => join(home.path, ...names)

  beforeEach(async () => {
    await createSubvolume(at('base'))
    for (const name of ['kept', 'written', 'deleted', 'xattr', 'mode']) {
      await fs.mkdir(at('base', `in-${name}`))
      await fs.writeFile(at('base', `in-${name}`, name), 'content')
    }
    await snapshotSubvolume(at('base'), at('child'))
  })

  const changed = async (): Promise<readonly bigint[]> => {
    await syncFilesystem(home.path)
    const since = (await subvolumeHistory(at('child'))).made
    return [...inodesSince(at('child'), since)].map(({ inode }) => inode)
  }

  const inodeOf = async (...names: string[]): Promise<bigint> =>
    (await fs.lstat(at('child', ...names), { bigint: true })).ino

  it('finds nothing in a snapshot that nobody has touched', async () => {
    await fs.writeFile(at('base', 'later'), 'in the source only')
    expect(await changed()).to.deep.equal([])
  })

  it('finds what was written, renamed, made and given attributes, and no more', async () => {
    const deletedFrom = await inodeOf('in-deleted')
    await fs.appendFile(at('child', 'in-written', 'written'), 'more')
    await fs.rm(at('child', 'in-deleted', 'deleted'))
    await fs.chmod(at('child', 'in-mode', 'mode'), 0o600)
    await fs.symlink('x', at('child', 'link'))
    expect(await changed()).to.have.members([
      await inodeOf(),
      deletedFrom,
      await inodeOf('in-written', 'written'),
      await inodeOf('in-mode', 'mode'),
      await inodeOf('link'),
    ])
  })

  it('tells kinds and sizes, over more items than one search answers', async () => {
    for (let index = 0; index < 1_000; index++) {
      await fs.writeFile(at('child', `file-${index}`), 'x'.repeat(8_000))
    }
    await syncFilesystem(home.path)
    let files = 0
    for (const { mode, bytes } of inodesSince(
      at('child'),
      (await subvolumeHistory(at('child'))).made,
    )) {
      if ((mode & 0o170_000) !== 0o100_000) continue
      expect(bytes).to.equal(8_192)
      files++
    }
    expect(files).to.equal(1_000)
  })
})

describe('directoriesTouchedSince', () => {
  const disk = useLoopFilesystem('btrfs')
  const home = useTempDir(() => disk.path)
  const at = (...names: string[]) => join(home.path, ...names)

  beforeEach(async () => {
    await createSubvolume(at('base'))
    for (const path of ['a/b/c', 'd/e', 'f/g', 'many']) {
      await fs.mkdir(at('base', path), { recursive: true })
      await fs.writeFile(at('base', path, 'file'), 'content')
    }
    await fs.link(at('base', 'd/e/file'), at('base', 'f/g/link'))
    // Long ago, so that whoever reads it next leaves a mark.
    await fs.utimes(at('base', 'd/e'), 0, 0)
    await snapshotSubvolume(at('base'), at('child'))
  })

  const expectTouched = async (paths: readonly string[]): Promise<void> => {
    await syncFilesystem(home.path)
    const { made } = await subvolumeHistory(at('child'))
    const touched = directoriesTouchedSince({
      tree: at('child'),
      parent: at('base'),
      since: made,
    })
    const expected = await Promise.all(
      paths.map(async (path) => {
        const { ino } = await fs.stat(at('child', path), { bigint: true })
        return ino
      }),
    )
    expect([...touched]).to.have.members(expected)
  }

  it('names the root alone where nothing was touched', async () => {
    await expectTouched(['.'])
  })

  it('names all that lead to a file that was written', async () => {
    await fs.appendFile(at('child', 'a/b/c/file'), 'more')
    await expectTouched(['.', 'a', 'a/b', 'a/b/c'])
  })

  it('names what a deleted or a new file is in', async () => {
    await fs.rm(at('child', 'a/b/c/file'))
    await fs.mkdir(at('child', 'f/new'))
    await expectTouched(['.', 'a', 'a/b', 'a/b/c', 'f', 'f/new'])
  })

  it('names no directory that was only read', async () => {
    await fs.readdir(at('child', 'd/e'))
    await fs.readdir(at('child', 'a/b/c'))
    await fs.chmod(at('child', 'a/b/c'), 0o700)
    await expectTouched(['.', 'a', 'a/b', 'a/b/c'])
    const { made } = await subvolumeHistory(at('child'))
    const read = await fs.stat(at('child', 'd/e'), { bigint: true })
    const young = [...inodesSince(at('child'), made)]
    expect(young.map(({ inode }) => inode)).to.include(read.ino)
  })

  it('names all the directories that a file has a name in', async () => {
    await fs.chmod(at('child', 'd/e/file'), 0o600)
    await expectTouched(['.', 'd', 'd/e', 'f', 'f/g'])
  })

  it('finds every one of a thousand names of one file', async () => {
    const paths = ['.', 'many']
    for (let index = 0; index < 1_000; index++) {
      if (index % 100 === 0) {
        paths.push(`many/${index}`)
        await fs.mkdir(at('base', `many/${index}`))
      }
      const name = `${index}-${'x'.repeat(100)}`
      const path = at('base', paths.at(-1)!, name)
      await fs.link(at('base', 'many/file'), path)
    }
    await deleteSubvolume(at('child'))
    await snapshotSubvolume(at('base'), at('child'))
    await fs.utimes(at('child', 'many/file'), 1, 1)
    await expectTouched(paths)
  })
})
