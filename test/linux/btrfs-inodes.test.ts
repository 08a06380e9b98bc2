import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { inodesSince } from '../../src/linux/btrfs-inodes.ts'
import {
  birthGeneration,
  createSubvolume,
  snapshotSubvolume,
  syncFilesystem,
} from '../../src/linux/btrfs.ts'
import { useLoopFilesystem } from '../support/loop-filesystem.ts'
import { useTempDir } from '../support/temp-dir.ts'

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
    const since = await birthGeneration(at('child'))
    const inodes: bigint[] = []
    for await (const { inode } of inodesSince(at('child'), since)) {
      inodes.push(inode)
    }
    return inodes
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
    for await (const { mode, bytes } of inodesSince(
      at('child'),
      await birthGeneration(at('child')),
    )) {
      if ((mode & 0o170_000) !== 0o100_000) continue
      expect(bytes).to.equal(8_192)
      files++
    }
    expect(files).to.equal(1_000)
  })
})
