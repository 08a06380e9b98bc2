import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  createSubvolume,
  deleteSubvolume,
  filesystemId,
  isReadonly,
  isSubvolume,
  nestedSubvolumes,
  setReadonly,
  snapshotSubvolume,
  subvolumeId,
  syncFilesystem,
} from '../../src/linux/btrfs.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useLoopFilesystem } from '../support/loop-filesystem.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('btrfs subvolumes', () => {
  const disk = useLoopFilesystem('btrfs')
  const home = useTempDir(() => disk.path)
  const at = (...names: string[]) => join(home.path, ...names)

  it('are told from directories, and from other filesystems', async () => {
    await createSubvolume(at('subvolume'))
    await fs.mkdir(at('directory'))
    await fs.symlink('subvolume', at('link'))
    expect(await isSubvolume(at('subvolume'))).to.equal(true)
    expect(await isSubvolume(at('directory'))).to.equal(false)
    expect(await isSubvolume(at('link'))).to.equal(false)
    expect(await isSubvolume('/proc')).to.equal(false)
  })

  it('have numbers of their own, which what is in them shares', async () => {
    await createSubvolume(at('one'))
    await createSubvolume(at('two'))
    await fs.mkdir(at('one', 'directory'))
    const one = await subvolumeId(at('one'))
    expect(await subvolumeId(at('one', 'directory'))).to.equal(one)
    expect(await subvolumeId(at('two'))).to.not.equal(one)
    expect(await subvolumeId(home.path)).to.equal(5n)
  })

  it('begin empty, writable, and with a name that must be free', async () => {
    await createSubvolume(at('new'))
    const stat = await fs.stat(at('new'))
    expect(stat.mode & 0o7777).to.equal(0o755)
    expect(await fs.readdir(at('new'))).to.deep.equal([])
    await expectRejection(createSubvolume(at('new')), Error, /EEXIST/)
  })

  it('are copied at once, for writing or for reading only', async () => {
    await createSubvolume(at('source'))
    await fs.writeFile(at('source', 'file'), 'content')
    await snapshotSubvolume(at('source'), at('copy'))
    await snapshotSubvolume(at('source'), at('frozen'), { readonly: true })
    await fs.writeFile(at('source', 'file'), 'changed')
    await fs.writeFile(at('copy', 'new'), '')
    expect(await fs.readFile(at('copy', 'file'), 'utf8')).to.equal('content')
    expect(await fs.readFile(at('frozen', 'file'), 'utf8')).to.equal('content')
    await expectRejection(fs.writeFile(at('frozen', 'new'), ''), Error, /EROFS/)
    expect(await isReadonly(at('copy'))).to.equal(false)
    expect(await isReadonly(at('frozen'))).to.equal(true)
    await setReadonly(at('frozen'), false)
  })

  it('refuse writes while they are read-only, and take them again', async () => {
    await createSubvolume(at('one'))
    await setReadonly(at('one'), true)
    await setReadonly(at('one'), true)
    expect(await isReadonly(at('one'))).to.equal(true)
    await expectRejection(fs.writeFile(at('one', 'file'), ''), Error, /EROFS/)
    await setReadonly(at('one'), false)
    await fs.writeFile(at('one', 'file'), '')
  })

  it('are deleted with what is nested in them, be it read-only', async () => {
    await createSubvolume(at('outer'))
    await fs.mkdir(at('outer', 'directory'))
    await createSubvolume(at('outer', 'directory', 'inner'))
    await createSubvolume(at('outer', 'directory', 'inner', 'innermost'))
    await fs.writeFile(at('outer', 'directory', 'inner', 'file'), 'content')
    await setReadonly(at('outer', 'directory', 'inner', 'innermost'), true)
    await setReadonly(at('outer'), true)
    const inner = await subvolumeId(at('outer', 'directory', 'inner'))
    expect(await nestedSubvolumes(at('outer'))).to.deep.equal([inner])

    await deleteSubvolume(at('outer'))
    expect(await fs.readdir(home.path)).to.deep.equal([])
  })

  it('are all found, however many are nested', async () => {
    await createSubvolume(at('outer'))
    const ids: bigint[] = []
    for (let index = 0; index < 150; index++) {
      const path = at('outer', `a-name-that-takes-its-room-${index}`)
      await createSubvolume(path)
      ids.push(await subvolumeId(path))
    }
    expect(await nestedSubvolumes(at('outer'))).to.deep.equal(ids)
    await deleteSubvolume(at('outer'))
    expect(await fs.readdir(home.path)).to.deep.equal([])
  })

  it('are not deleted through a link, nor is a directory', async () => {
    await createSubvolume(at('one'))
    await fs.symlink('one', at('link'))
    await fs.mkdir(at('directory'))
    await expectRejection(deleteSubvolume(at('link')), Error, /ENOTDIR|ELOOP/)
    await expectRejection(deleteSubvolume(at('directory')), Error, /EINVAL/)
    expect(await isSubvolume(at('one'))).to.equal(true)
  })
})

describe('btrfs filesystems', () => {
  const disk = useLoopFilesystem('btrfs')

  it('are known to sysfs by their UUID', async () => {
    const id = await filesystemId(disk.path)
    expect(await fs.readdir('/sys/fs/btrfs')).to.include(id)
  })

  it('free what deleted subvolumes held, in time to be seen once synced', async () => {
    const path = join(disk.path, 'subvolume')
    await createSubvolume(path)
    await fs.writeFile(join(path, 'file'), Buffer.alloc(50_000_000, 1))
    await syncFilesystem(disk.path)
    const full = await fs.statfs(disk.path)
    await deleteSubvolume(path)
    await syncFilesystem(disk.path)
    for (let free = full.bfree; free <= full.bfree + 10_000;) {
      await syncFilesystem(disk.path)
      free = (await fs.statfs(disk.path)).bfree
    }
  })

  it('are not asked to sync where there is no btrfs', async () => {
    await expectRejection(syncFilesystem('/proc'), Error, /ENOTTY/)
  })
})
