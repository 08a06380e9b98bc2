import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  InvalidArgumentError,
  NotSupportedError,
} from '../../../src/base/errors.ts'
import { createSubvolume, isSubvolume } from '../../../src/linux/btrfs.ts'
import { subvolumeLimits } from '../../../src/linux/btrfs-quota.ts'
import { BtrfsKeeping } from '../../../src/volume/btrfs/btrfs-keeping.ts'
import type { FolderStore } from '../../../src/volume/folder-store.ts'
import { VolumeNotFoundError } from '../../../src/volume/volume-errors.ts'
import { parseVolumeOptions } from '../../../src/volume/volume-options.ts'
import { describeVolumeStorer } from '../../../src/conformance/describe-volume-storer.ts'
import { expectRejection } from '../../../src/conformance/expect-rejection.ts'
import { useLoopFilesystem } from '../../support/loop-filesystem.ts'
import { storeKeptBy } from '../../support/open-store.ts'
import { useTempDir } from '../../../src/conformance/temp-dir.ts'

const MB = 1_000_000

/** Node has no name for EDQUOT. */
const EDQUOT = /-122/

const openStore = storeKeptBy((store) => BtrfsKeeping.open(store))

describe('On btrfs', () => {
  const disk = useLoopFilesystem('btrfs')
  describeVolumeStorer('btrfs', openStore, { under: () => disk.path })
})

describe('The btrfs store', () => {
  const disk = useLoopFilesystem('btrfs')
  let store: FolderStore
  afterEach(() => store.close())
  const home = useTempDir(() => disk.path)
  beforeEach(async () => {
    store = await openStore(home.path)
  })

  const create = (name: string, options: Readonly<Record<string, string>>) =>
    store.create(name, parseVolumeOptions(options))

  it('keeps each volume as a subvolume', async () => {
    const { mountpoint } = await create('db', { mode: '0700', uid: '70' })
    expect(await isSubvolume(mountpoint)).to.equal(true)
    const { mode, uid } = await fs.stat(mountpoint)
    expect({ mode: mode & 0o7777, uid }).to.deep.equal({ mode: 0o700, uid: 70 })
  })

  it('lets a volume hold its capacity and no more, and harms no other', async () => {
    const limited = await create('limited', { capacity: '10MB' })
    const free = await create('free', {})
    const file = join(limited.mountpoint, 'a')
    await fs.writeFile(file, Buffer.alloc(9 * MB, 1))
    await expectRejection(
      fs.writeFile(join(limited.mountpoint, 'b'), Buffer.alloc(2 * MB, 1)),
      Error,
      EDQUOT,
    )
    await fs.writeFile(join(free.mountpoint, 'a'), Buffer.alloc(20 * MB, 1))
  })

  it('refuses a capacity that it could not limit, and leaves nothing', async () => {
    await expectRejection(
      create('tiny', { capacity: '1000KB' }),
      InvalidArgumentError,
      /too small/,
    )
    expect(await fs.readdir(home.path)).to.have.members([
      'format',
      'lock',
      'volumes',
    ])
  })

  it('begins a volume as a clone, which goes its own way', async () => {
    const source = await create('source', { capacity: '50MB' })
    await fs.writeFile(join(source.mountpoint, 'table'), Buffer.alloc(30 * MB))
    const clone = await create('clone', { from: 'source' })
    await fs.writeFile(join(source.mountpoint, 'table'), 'changed')
    const table = await fs.readFile(join(clone.mountpoint, 'table'))
    expect(table).to.have.length(30 * MB)
    expect(await subvolumeLimits(clone.mountpoint)).to.deep.equal({
      referenced: 50 * MB,
    })
    await store.remove('source')
    await fs.writeFile(join(clone.mountpoint, 'more'), 'rows')
  })

  it('clones nothing that is not there', async () => {
    await expectRejection(
      create('clone', { from: 'absent' }),
      VolumeNotFoundError,
    )
    await expectRejection(
      create('clone', { from: '../absent' }),
      InvalidArgumentError,
    )
    expect((await store.list()).volumes).to.deep.equal([])
  })

  it('removes a volume with the subvolumes that were made in it', async () => {
    const { mountpoint } = await create('db', {})
    await createSubvolume(join(mountpoint, 'nested'))
    await fs.writeFile(join(mountpoint, 'nested', 'file'), '')
    await store.remove('db')
    await store.close()
    const names = await fs.readdir(home.path)
    expect(names).to.have.members(['format', 'lock', 'volumes'])
    store = await openStore(home.path)
  })

  it('sweeps subvolumes that a crash left half made or half removed', async () => {
    await store.close()
    for (const name of ['new-1', 'rm-1']) {
      await fs.mkdir(join(home.path, name))
      await createSubvolume(join(home.path, name, 'data'))
      await fs.writeFile(join(home.path, name, 'data', 'file'), '')
    }
    store = await openStore(home.path)
    await store.close()
    const names = await fs.readdir(home.path)
    expect(names).to.have.members(['format', 'lock', 'volumes'])
    store = await openStore(home.path)
  })

  it('gives volumes that name no capacity the store’s', async () => {
    await store.close()
    store = await storeKeptBy((directory) =>
      BtrfsKeeping.open(directory, { capacity: 20 * MB }),
    )(home.path)
    const { mountpoint } = await create('db', {})
    expect(await subvolumeLimits(mountpoint)).to.deep.equal({
      referenced: 20 * MB,
    })
  })
})

describe('The btrfs store elsewhere', () => {
  const home = useTempDir()

  it('says why it cannot be on another filesystem', async () => {
    await expectRejection(
      openStore(home.path),
      NotSupportedError,
      /must be on btrfs/,
    )
  })
})
