import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  InUseError,
  InvalidArgumentError,
  NotSupportedError,
} from '../../../src/base/errors.ts'
import { freeze } from '../../../src/linux/freeze.ts'
import { loopDevices } from '../../../src/linux/loop.ts'
import { mount, unmount } from '../../../src/linux/mount.ts'
import { mountsBelow, readMountInfo } from '../../../src/linux/mountinfo.ts'
import type { FolderStore } from '../../../src/volume/folder-store.ts'
import {
  LoopKeeping,
  type LoopKeepingOptions,
} from '../../../src/volume/loop/loop-keeping.ts'
import { parseVolumeOptions } from '../../../src/volume/volume-options.ts'
import { describeVolumeStorer } from '../../../src/conformance/describe-volume-storer.ts'
import { needs } from '../../../src/conformance/capabilities.ts'
import { expectRejection } from '../../../src/conformance/expect-rejection.ts'
import { useLoopFilesystem } from '../../support/loop-filesystem.ts'
import { type OpenStore, storeKeptBy } from '../../support/open-store.ts'
import { useTempDir } from '../../../src/conformance/temp-dir.ts'

const MIB = 1024 * 1024

const storeOf = (options: LoopKeepingOptions): OpenStore =>
  storeKeptBy((store) => LoopKeeping.open(store, options))

const openStore = storeOf({ capacity: 16 * MIB })

describeVolumeStorer('loop', openStore, { on: ['root', 'loop', 'ext4'] })

describe('The loop store', () => {
  needs('root', 'loop', 'ext4', 'xfs')
  let store: FolderStore
  afterEach(() => store.close())
  const home = useTempDir()
  beforeEach(async () => {
    store = await openStore(home.path)
  })

  const create = (name: string, options: Readonly<Record<string, string>>) =>
    store.create(name, parseVolumeOptions(options))

  const image = (name: string, filesystem = 'ext4') =>
    join(home.path, 'volumes', name, `image.${filesystem}`)

  async function reopen(options: LoopKeepingOptions = {}): Promise<void> {
    await store.close()
    store = await storeOf({ capacity: 16 * MIB, ...options })(home.path)
  }

  it('keeps each volume as a filesystem in a file, sparse until it fills', async () => {
    await create('db', { capacity: '1GiB' })
    const { size, blocks } = await fs.stat(image('db'))
    expect(size).to.equal(1024 * MIB)
    expect(blocks * 512).to.be.below(64 * MIB)
    const path = await store.mount('db')
    const found = (await readMountInfo()).find((it) => it.mountpoint === path)
    expect(found?.type).to.equal('ext4')
    expect(found?.superOptions).to.include('discard')
  })

  it('lets a volume hold its capacity and no more, and harms no other', async () => {
    await create('small', { capacity: '8MiB' })
    await create('other', {})
    const path = await store.mount('small')
    await fs.writeFile(join(path, 'a'), Buffer.alloc(5 * MIB, 1))
    await expectRejection(
      fs.writeFile(join(path, 'b'), Buffer.alloc(5 * MIB, 1)),
      Error,
      /ENOSPC/,
    )
    const other = join(await store.mount('other'), 'a')
    await fs.writeFile(other, Buffer.alloc(8 * MIB, 1))
  })

  it('makes volumes as small as it says, and no smaller', async () => {
    await create('least', { capacity: '2MiB' })
    const path = await store.mount('least')
    await fs.writeFile(join(path, 'a'), Buffer.alloc(MIB / 2, 1))
    await expectRejection(
      create('less', { capacity: '2MB' }),
      InvalidArgumentError,
      /ext4 needs at least 2097152 bytes/,
    )
    expect((await store.list()).volumes).to.have.length(1)
  })

  it('frees the device with the mount, and keeps the files', async () => {
    await create('db', {})
    await fs.writeFile(join(await store.mount('db'), 'table'), 'rows')
    expect(await devices()).to.have.length(1)
    await store.unmount('db')
    expect(await devices()).to.deep.equal([])
    const table = join(await store.mount('db'), 'table')
    expect(await fs.readFile(table, 'utf8')).to.equal('rows')
  })

  it('never shows one image on two devices, even while a container lingers', async () => {
    await create('db', {})
    const path = await store.mount('db')
    const lingering = join(home.path, 'lingering')
    await fs.mkdir(lingering)
    mount({ type: 'bind', source: path, options: [] }, lingering)
    await store.unmount('db')
    await fs.writeFile(join(lingering, 'late'), 'rows')
    await store.mount('db')
    expect(await devices()).to.have.length(1)
    expect(await fs.readFile(join(path, 'late'), 'utf8')).to.equal('rows')
  })

  it('takes up the mounts that an earlier process left', async () => {
    await create('db', {})
    const path = await store.mount('db')
    const file = await fs.open(join(path, 'open'), 'w')
    await reopen()
    const volume = await store.get('db')
    expect((await store.mounted([volume])).get('db')).to.equal(true)
    expect(await store.mount('db')).to.equal(path)
    await file.writeFile('still there')
    await file.close()
    expect(await devices()).to.have.length(1)
  })

  it('removes a volume that a crash left mounted and nobody holds', async () => {
    await create('db', {})
    await store.mount('db')
    await store.remove('db')
    await store.close()
    expect(await mountsBelow(home.path)).to.deep.equal([])
    expect(await devices()).to.deep.equal([])
    expect(await fs.readdir(home.path)).to.have.members([
      'format',
      'lock',
      'volumes',
    ])
    store = await openStore(home.path)
  })

  it('knows a read-only volume as mounted whose view a crash took away', async () => {
    await create('db', { ro: '' })
    const volume = await store.get('db')
    await unmount(await store.mount('db'))
    expect((await store.mounted([volume])).get('db')).to.equal(true)
    await store.unmount('db')
    expect((await store.mounted([volume])).get('db')).to.equal(false)
    expect(await devices()).to.deep.equal([])
  })

  it('thaws what a process left frozen when it was killed', async () => {
    await create('db', {})
    const path = await store.mount('db')
    await freeze(path)
    await reopen()
    await fs.writeFile(join(path, 'file'), '')
  })

  it('says so when a volume has lost its image, or the image its filesystem', async () => {
    await create('lost', {})
    await fs.rm(image('lost'))
    await expectRejection(store.mount('lost'), Error, /lost its image/)
    await create('torn', {})
    await fs.writeFile(image('torn'), Buffer.alloc(16 * MIB))
    await expectRejection(store.mount('torn'), Error, /cannot be mounted/)
    expect(await devices()).to.deep.equal([])
    await store.remove('lost')
    await store.remove('torn')
  })

  it('takes the room on disk at once where it is told to', async () => {
    await reopen({ reserve: true })
    await create('db', {})
    const { blocks } = await fs.stat(image('db'))
    expect(blocks * 512).to.be.at.least(16 * MIB)
    await fs.writeFile(join(await store.mount('db'), 'table'), 'rows')
  })

  it('makes xfs where it is told to, and still knows the ext4 it made before', async () => {
    await create('old', {})
    await reopen({ filesystem: 'xfs', capacity: 300 * MIB })
    await create('new', {})
    await expectRejection(
      create('small', { capacity: '299MiB' }),
      InvalidArgumentError,
      /xfs needs at least 314572800 bytes/,
    )
    for (const [name, type] of [
      ['old', 'ext4'],
      ['new', 'xfs'],
    ] as const) {
      const path = await store.mount(name)
      const found = (await readMountInfo()).find((it) => it.mountpoint === path)
      expect(found?.type).to.equal(type)
      expect(await fs.readdir(path)).to.deep.equal([])
    }
  })

  it('says why it cannot clone where blocks cannot be shared', async () => {
    expect(store.capabilities.from).to.have.property('because')
  })

  for (const [filesystem, bytes] of [
    ['ext4', 16 * MIB],
    ['xfs', 300 * MIB],
  ] as const) {
    it(`makes ${filesystem} larger, at the latest when it is mounted again`, async () => {
      await reopen({ filesystem, capacity: bytes })
      await create('db', {})
      const path = await store.mount('db')
      await fs.writeFile(join(path, 'table'), 'rows')
      const before = await roomAt(path)
      const { effective } = await store.resize('db', 2 * bytes)
      if (effective === 'now') {
        expect(await roomAt(path)).to.be.above(1.8 * before)
      }
      await store.unmount('db')
      expect((await store.resize('db', 4 * bytes)).effective).to.equal(
        'when it is mounted',
      )
      await reopen()
      await store.mount('db')
      expect(await roomAt(path)).to.be.above(3.6 * before)
      expect(await fs.readFile(join(path, 'table'), 'utf8')).to.equal('rows')
      const directory = join(home.path, 'volumes', 'db')
      expect(await fs.readdir(directory)).to.not.include('grow')
    })
  }

  it('shrinks no volume that is mounted, and no xfs ever', async () => {
    await create('db', {})
    await store.mount('db')
    await expectRejection(store.resize('db', 8 * MIB), InUseError, /mounted/)
    expect(await store.get('db')).to.include({ capacity: 16 * MIB })
    await reopen({ filesystem: 'xfs', capacity: 600 * MIB })
    expect(store.capabilities.shrink).to.have.property('because')
    await create('large', {})
    await expectRejection(
      store.resize('large', 300 * MIB),
      NotSupportedError,
      /"large" cannot shrink, because xfs never shrinks/,
    )
  })

  it('keeps its image when it cannot hold as little as is asked for', async () => {
    await create('db', { capacity: '64MiB' })
    const path = await store.mount('db')
    await fs.writeFile(join(path, 'large'), Buffer.alloc(32 * MIB, 1))
    await store.unmount('db')
    await expectRejection(
      store.resize('db', 16 * MIB),
      InvalidArgumentError,
      /too few/,
    )
    expect((await fs.stat(image('db'))).size).to.equal(64 * MIB)
    await store.mount('db')
    expect((await fs.stat(join(path, 'large'))).size).to.equal(32 * MIB)
  })

  it('makes a mounted xfs larger at once', async () => {
    await reopen({ filesystem: 'xfs', capacity: 300 * MIB })
    await create('db', {})
    const path = await store.mount('db')
    const { effective } = await store.resize('db', 600 * MIB)
    expect(effective).to.equal('now')
    expect(await roomAt(path)).to.be.above(500 * MIB)
  })

  /** Devices that show images of this test. */
  async function devices() {
    const all = await loopDevices()
    return all.filter(({ backingFile }) => backingFile.startsWith(home.path))
  }
})

for (const filesystem of ['ext4', 'xfs'] as const) {
  describe(`Clones in a loop store with ${filesystem}, on xfs`, () => {
    const disk = useLoopFilesystem('xfs')
    const capacity = 300 * MIB
    const open = storeOf({ filesystem, capacity })
    let store: FolderStore
    afterEach(() => store.close())
    const home = useTempDir(() => disk.path)
    beforeEach(async () => {
      store = await open(home.path)
    })

    const create = (name: string, options: Readonly<Record<string, string>>) =>
      store.create(name, parseVolumeOptions(options))

    it('begin as a mounted volume is, and go their own way', async () => {
      await create('source', {})
      const source = await store.mount('source')
      await fs.writeFile(join(source, 'table'), 'rows')
      await create('clone', { from: 'source' })
      await fs.writeFile(join(source, 'table'), 'changed')
      const clone = await store.mount('clone')
      expect(await fs.readFile(join(clone, 'table'), 'utf8')).to.equal('rows')
      await fs.writeFile(join(clone, 'more'), 'rows')
      expect(await fs.readdir(source)).to.deep.equal(['table'])
    })

    it('may be larger than their source, and not smaller', async () => {
      await create('source', {})
      await fs.writeFile(join(await store.mount('source'), 'table'), 'rows')
      await create('larger', { from: 'source', capacity: '600MiB' })
      const larger = await store.mount('larger')
      expect(await roomAt(larger)).to.be.above(500 * MIB)
      expect(await fs.readFile(join(larger, 'table'), 'utf8')).to.equal('rows')
      await expectRejection(
        create('smaller', { from: 'source', capacity: '200MiB' }),
        InvalidArgumentError,
        /cannot be smaller/,
      )
    })
  })
}

async function roomAt(path: string): Promise<number> {
  const { blocks, bsize } = await fs.statfs(path)
  return blocks * bsize
}
