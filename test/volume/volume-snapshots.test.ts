import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  InUseError,
  InvalidArgumentError,
  NotSupportedError,
} from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  SnapshotNotFoundError,
  VolumeInUseError,
} from '../../src/volume/volume-errors.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'

describe('VolumeSnapshots', () => {
  needs('root')
  let volumes: VolumeLookupCache
  afterEach(() => volumes.close())
  const home = useTempDir()

  const open = async (): Promise<void> => {
    const specs = parseStoreSpecs('default=local: memory=tmpfs:')
    const [dataRoot, log] = [home.path, SILENT]
    const stores = specs.map((spec) => storeSource(spec, { dataRoot, log }))
    volumes = await VolumeLookupCache.open({ dataRoot, stores, log })
    await volumes.opened()
  }
  beforeEach(open)

  const write = async (text: string): Promise<void> => {
    const path = await volumes.mount('db', 'writer')
    await fs.writeFile(join(path, 'table'), text)
    await volumes.unmount('db', 'writer')
  }

  const read = async (): Promise<string> => {
    const path = await volumes.mount('db', 'reader')
    const text = await fs.readFile(join(path, 'table'), 'utf8')
    await volumes.unmount('db', 'reader')
    return text
  }

  beforeEach(async () => {
    await volumes.create('db', {})
    await write('rows')
  })

  it('are in the catalogue, and still are in the next process', async () => {
    const taken = await volumes.snapshots.create('db', { name: 'monday' })
    expect(volumes.snapshots.list('db')).to.deep.equal([taken])
    await volumes.close()
    await open()
    expect(volumes.get('db').snapshots).to.deep.equal([taken])
    await volumes.snapshots.delete('db', 'monday')
    expect(volumes.snapshots.list('db')).to.deep.equal([])
  })

  it('are called after the time where nobody names them', async () => {
    const { name } = await volumes.snapshots.create('db')
    expect(name).to.match(/^\d{8}-\d{6}\.\d{3}$/)
  })

  it('bring back what a volume held, and keep what it holds', async () => {
    await volumes.snapshots.create('db', { name: 'monday' })
    await write('other rows')
    const { saved } = await volumes.snapshots.rollback('db', 'monday')
    expect(await read()).to.equal('rows')
    expect(saved.name).to.match(/^before-rollback-/)
    await volumes.snapshots.rollback('db', saved.name)
    expect(await read()).to.equal('other rows')
  })

  it('change nothing of a volume that somebody holds', async () => {
    await volumes.snapshots.create('db', { name: 'monday' })
    await volumes.mount('db', 'app')
    await expectRejection(
      volumes.snapshots.rollback('db', 'monday'),
      VolumeInUseError,
      /in use by app/,
    )
    await expectRejection(
      volumes.snapshots.create('db'),
      InUseError,
      /in use by app, and volume store "default" cannot copy it meanwhile, because .*: stop its containers first/,
    )
    await expectRejection(
      volumes.snapshots.create('db', { pause: true }),
      NotSupportedError,
      /cannot keep writers waiting, because/,
    )
    expect(volumes.snapshots.list('db')).to.have.length(1)
  })

  it('are shown for as long as somebody reads them, and not deleted then', async () => {
    await volumes.snapshots.create('db', { name: 'monday' })
    await write('other rows')
    {
      await using one = await volumes.snapshots.show('db', 'monday')
      await using other = await volumes.snapshots.show('db', 'monday')
      expect(other.path).to.equal(one.path)
      const table = join(one.path, 'table')
      expect(await fs.readFile(table, 'utf8')).to.equal('rows')
      await expectRejection(
        volumes.snapshots.delete('db', 'monday'),
        InUseError,
        /being read/,
      )
    }
    await volumes.snapshots.delete('db', 'monday')
    await expectRejection(
      volumes.snapshots.show('db', 'monday'),
      SnapshotNotFoundError,
    )
  })

  it('have names that can be one, and stores that can keep them', async () => {
    await expectRejection(
      volumes.snapshots.create('db', { name: '../monday' }),
      InvalidArgumentError,
    )
    await volumes.create('cache', { store: 'memory' })
    await expectRejection(
      volumes.snapshots.create('cache'),
      NotSupportedError,
      /^Volume store "memory" cannot keep snapshots of volumes, because it keeps files in memory only$/,
    )
  })
})
