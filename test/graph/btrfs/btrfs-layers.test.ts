import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  AlreadyExistsError,
  InvalidArgumentError,
  NotFoundError,
  NotSupportedError,
} from '../../../src/base/errors.ts'
import { SILENT } from '../../../src/base/log.ts'
import { BtrfsLayers } from '../../../src/graph/btrfs/btrfs-layers.ts'
import { NO_PARENT } from '../../../src/graph/driver.ts'
import { Home } from '../../../src/graph/home.ts'
import { openDriver } from '../../../src/graph/open-driver.ts'
import { limitSubvolume } from '../../../src/linux/btrfs-quota.ts'
import { createSubvolume, isSubvolume } from '../../../src/linux/btrfs.ts'
import { describeDriver } from '../../../src/conformance/describe-driver.ts'
import { describeLayerDriver } from '../../../src/conformance/describe-layer-driver.ts'
import { describeProtoDriver } from '../../../src/conformance/describe-proto-driver.ts'
import { expectRejection } from '../../../src/conformance/expect-rejection.ts'
import { useLoopFilesystem } from '../../support/loop-filesystem.ts'
import { mounted, naive, native } from '../../../src/conformance/open-graph.ts'
import { useTempDir } from '../../../src/conformance/temp-dir.ts'

const MIB = 1024 * 1024

/** Node has no name for EDQUOT. */
const EDQUOT = /-122/

const openLayers = (home: Home) => BtrfsLayers.open(home)

describe('On btrfs', () => {
  const disk = useLoopFilesystem('btrfs')
  const under = () => disk.path
  describeLayerDriver('btrfs', openLayers, { under })
  describeProtoDriver('btrfs', mounted(openLayers), { under })
  describeDriver('btrfs, naively,', naive(openLayers), { under })
  describeDriver('btrfs', native(openLayers), { under })
})

describe('BtrfsLayers', () => {
  const disk = useLoopFilesystem('btrfs', '2G')
  let home: Home
  let driver: BtrfsLayers

  afterEach(async () => {
    await driver.close()
    await home.close()
  })
  const directory = useTempDir(() => disk.path)
  beforeEach(() => open())

  async function open(): Promise<void> {
    home = await Home.open(directory.path, { log: SILENT })
    driver = await BtrfsLayers.open(home)
  }

  async function reopen(): Promise<void> {
    await driver.close()
    await home.close()
    await open()
  }

  async function tree(id: string): Promise<string> {
    const [spec] = await driver.mounts(id)
    return home.absolute(spec!.source)
  }

  it('keeps each layer as a subvolume, which begins as its parent’s is', async () => {
    await driver.create('base', NO_PARENT)
    await fs.writeFile(join(await tree('base'), 'file'), 'content')
    await driver.create('child', 'base')
    const child = await tree('child')
    expect(await isSubvolume(child)).to.equal(true)
    expect(await fs.readFile(join(child, 'file'), 'utf8')).to.equal('content')
    expect(await fs.stat(await tree('base'))).to.include({ uid: 0, gid: 0 })
  })

  it('lets nobody write to a layer that has become a parent', async () => {
    await driver.create('base', NO_PARENT)
    await fs.writeFile(join(await tree('base'), 'file'), 'content')
    await driver.create('child', 'base')
    await expectRejection(
      fs.writeFile(join(await tree('base'), 'file'), ''),
      Error,
      /EROFS/,
    )
    await fs.writeFile(join(await tree('child'), 'file'), 'changed')
  })

  it('keeps what a child has when its parent goes', async () => {
    await driver.create('base', NO_PARENT)
    await fs.writeFile(join(await tree('base'), 'file'), 'content')
    await driver.create('child', 'base')
    await driver.remove('base')
    await driver.settled()
    await reopen()
    expect(await driver.exists('base')).to.equal(false)
    const file = join(await tree('child'), 'file')
    expect(await fs.readFile(file, 'utf8')).to.equal('content')
  })

  it('removes what containers nested in a layer', async () => {
    await driver.create('layer', NO_PARENT)
    const inner = join(await tree('layer'), 'inner')
    await createSubvolume(inner)
    await createSubvolume(join(inner, 'innermost'))
    await fs.writeFile(join(inner, 'file'), '')
    await driver.remove('layer')
    await driver.settled()
    expect(await leftovers()).to.deep.equal([])
  })

  it('sweeps subvolumes that a crash left half made or half removed', async () => {
    for (const name of ['new-1', 'rm-1']) {
      await fs.mkdir(join(directory.path, name))
      await createSubvolume(join(directory.path, name, 'tree'))
      await fs.writeFile(join(directory.path, name, 'tree', 'file'), '')
    }
    await fs.mkdir(join(directory.path, 'new-2'))
    await reopen()
    await driver.settled()
    expect(await leftovers()).to.deep.equal([])
  })

  it('leaves nothing of a layer that could not be made', async () => {
    await expectRejection(driver.create('a', 'absent'), NotFoundError)
    await driver.create('a', NO_PARENT)
    await expectRejection(driver.create('a', NO_PARENT), AlreadyExistsError)
    await expectRejection(
      driver.create('b', 'a', { storageOptions: { size: 'big' } }),
      InvalidArgumentError,
    )
    await driver.settled()
    expect(await leftovers()).to.deep.equal([])
    expect(await driver.exists('b')).to.equal(false)
  })

  it('tells what a layer has of its own', async () => {
    await driver.create('base', NO_PARENT)
    await fs.writeFile(
      join(await tree('base'), 'big'),
      Buffer.alloc(9 * MIB, 1),
    )
    await driver.create('child', 'base')
    const before = await driver.usage('child')
    await fs.writeFile(join(await tree('child'), 'a'), Buffer.alloc(2 * MIB, 1))
    await fs.writeFile(join(await tree('child'), 'b'), Buffer.alloc(MIB, 1))
    const after = await driver.usage('child')
    expect(before.bytes).to.equal(0)
    expect(after.bytes).to.equal(3 * MIB)
    // The two files, and the directory that they are in.
    expect(after.inodes).to.equal(3)
    expect((await driver.usage('base')).bytes).to.equal(9 * MIB)
  })

  it('shows the subvolume, and whether it is sealed', async () => {
    await driver.create('layer', NO_PARENT)
    const metadata = await driver.metadata('layer')
    expect(metadata).to.deep.include({
      Subvolume: await tree('layer'),
      Sealed: 'false',
    })
    expect(metadata.SubvolumeID).to.match(/^\d+$/)
    await driver.seal('layer')
    await driver.seal('layer')
    expect(await driver.metadata('layer')).to.include({ Sealed: 'true' })
    await expectRejection(driver.metadata('absent'), NotFoundError)
  })

  describe('with a size', () => {
    const size = { storageOptions: { size: '20M' } }

    beforeEach(async () => {
      await driver.create('image', NO_PARENT)
      const big = join(await tree('image'), 'big')
      await fs.writeFile(big, Buffer.alloc(50 * MIB, 1))
    })

    it('lets a container add that much to its image, and no more', async () => {
      await driver.create('limited', 'image', size)
      await driver.create('free', 'image')
      const limited = await tree('limited')
      await fs.writeFile(join(limited, 'a'), Buffer.alloc(18 * MIB, 1))
      await expectRejection(
        fs.writeFile(join(limited, 'b'), Buffer.alloc(4 * MIB, 1)),
        Error,
        EDQUOT,
      )
      const free = join(await tree('free'), 'a')
      await fs.writeFile(free, Buffer.alloc(30 * MIB, 1))
    })

    it('gives room back for what is deleted', async () => {
      await driver.create('limited', 'image', size)
      const file = join(await tree('limited'), 'file')
      for (let round = 0; round < 3; round++) {
        await fs.writeFile(file, Buffer.alloc(15 * MIB, 1))
        await fs.rm(file)
        await driver.usage('limited')
      }
    })

    it('holds after a restart, and is shown', async () => {
      await driver.create('limited', 'image', size)
      await reopen()
      const { Size } = await driver.metadata('limited')
      expect(Size).to.equal(String(20 * MIB))
      await expectRejection(
        fs.writeFile(join(await tree('limited'), 'a'), Buffer.alloc(22 * MIB)),
        Error,
        EDQUOT,
      )
      expect(await driver.status()).to.deep.include(['Quota', 'enabled'])
    })

    it('can be as small as is promised, and still be written', async () => {
      const smallest = { storageOptions: { size: '1M' } }
      await driver.create('small', 'image', smallest)
      const small = await tree('small')
      await fs.writeFile(join(small, 'a'), Buffer.alloc(MIB / 2, 1))
      await fs.mkdir(join(small, 'directory'))
      await fs.writeFile(join(small, 'directory', 'b'), 'text')
      await expectRejection(
        driver.create('tiny', 'image', { storageOptions: { size: '1000K' } }),
        InvalidArgumentError,
        /least is 1048576/,
      )
    })

    it('is no obstacle to removal when all of it is used', async () => {
      await driver.create('limited', 'image', size)
      const limited = await tree('limited')
      await expectRejection(
        fs.writeFile(join(limited, 'a'), Buffer.alloc(30 * MIB, 1)),
        Error,
        EDQUOT,
      )
      await limitSubvolume(limited, { exclusive: 16_384 })
      await driver.remove('limited')
      await driver.settled()
      expect(await leftovers()).to.deep.equal([])
    })
  })

  async function leftovers(): Promise<readonly string[]> {
    const names = await fs.readdir(directory.path)
    return names.filter((name) => /^(?:new|rm)-/.test(name))
  }
})

describe('BtrfsLayers by default', () => {
  const disk = useLoopFilesystem('btrfs')
  const directory = useTempDir(() => disk.path)

  it('is what keeps layers on btrfs, with the sizes that dockerd was told', async () => {
    const parameters = {
      home: directory.path,
      options: ['btrfs.min_space=50M'],
      uidMaps: [],
      gidMaps: [],
    }
    const opened = await openDriver(parameters, { log: SILENT })
    expect(opened.driver.name).to.equal('btrfs')
    await expectRejection(
      opened.driver.createReadWrite('small', NO_PARENT, {
        storageOptions: { size: '49M' },
      }),
      InvalidArgumentError,
      /least is 52428800 bytes/,
    )
    await opened.close()
  })
})

describe('BtrfsLayers elsewhere', () => {
  const directory = useTempDir()

  it('says why it cannot run on another filesystem', async () => {
    const home = await Home.open(directory.path, { log: SILENT })
    const opening = BtrfsLayers.open(home)
    await expectRejection(opening, NotSupportedError, /must be on btrfs/)
    await home.close()
  })
})
