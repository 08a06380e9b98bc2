import { join } from 'node:path'
import { expect } from 'chai'
import {
  InvalidArgumentError,
  NotSupportedError,
} from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { type Candidate, openLayers } from '../../src/graph/driver-choice.ts'
import { claim } from '../../src/graph/format.ts'
import { Home } from '../../src/graph/home.ts'
import { VfsLayers } from '../../src/graph/vfs/vfs-layers.ts'
import { filesystemOf } from '../../src/linux/fs-magic.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const vfs: Candidate = { name: 'vfs', open: (home) => VfsLayers.open(home) }

const elsewhere: Candidate = {
  name: 'elsewhere',
  bestOn: ['a filesystem that nobody has'],
  open: (home) => VfsLayers.open(home),
}

const unable: Candidate = {
  name: 'unable',
  open: async () => {
    throw new NotSupportedError('the moon is not full')
  },
}

const broken: Candidate = {
  name: 'broken',
  open: async () => {
    throw new Error('disk on fire')
  },
}

describe('The choice of a driver', () => {
  needs('root')
  const temp = useTempDir()
  let home: Home

  beforeEach(async () => {
    home = await Home.open(join(temp.path, 'home'), { log: SILENT })
  })
  afterEach(() => home.close())

  async function choose(candidates: Candidate[], wanted: string) {
    const { layers, reason } = await openLayers(candidates, home, wanted)
    await layers.close()
    return { name: layers.name, reason }
  }

  it('falls by itself on the first that suits the filesystem and runs', async () => {
    const choice = await choose([elsewhere, unable, vfs], 'auto')
    expect(choice).to.deep.equal({
      name: 'vfs',
      reason: `it suits ${await filesystemOf(home.path)}; unable cannot: the moon is not full`,
    })
  })

  it('follows a wish, also against the filesystem', async () => {
    const { reason } = await choose([vfs, elsewhere], 'elsewhere')
    expect(reason).to.equal('it was asked for')
  })

  it('stays with the driver whose layers are there', async () => {
    await choose([vfs], 'vfs')
    const { name, reason } = await choose([unable, vfs], 'auto')
    expect(name).to.equal('vfs')
    expect(reason).to.match(/are kept by it/)
  })

  it('never puts a second driver over the layers of a first', async () => {
    await choose([vfs], 'vfs')
    await expectRejection(
      choose([vfs, unable], 'unable'),
      InvalidArgumentError,
      /"unable" cannot be used: the layers in ".*" are kept by "vfs"/,
    )
  })

  it('fails with a driver that cannot read its layers, and takes no other', async () => {
    await claim(home.path, 'unable')
    await expectRejection(
      choose([vfs, unable], 'auto'),
      NotSupportedError,
      /moon/,
    )
    await expectRejection(choose([unable], 'unable'), NotSupportedError, /moon/)
  })

  it('hides no trouble that is not for want of support', async () => {
    await expectRejection(choose([broken, vfs], 'auto'), Error, /on fire/)
  })

  it('says of each why none can', async () => {
    await expectRejection(
      choose([unable], 'auto'),
      NotSupportedError,
      /unable cannot: the moon/,
    )
  })

  it('names what is known where the wish is not', async () => {
    await expectRejection(
      choose([vfs, unable], 'zfs'),
      InvalidArgumentError,
      /"zfs" is unknown: known are "auto", "vfs", "unable"/,
    )
  })
})
