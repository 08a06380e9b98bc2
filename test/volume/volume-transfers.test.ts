import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { untilClosed } from '../../src/base/until-closed.ts'
import { Storage } from '../../src/storage/storage.ts'
import { LocalKeeping } from '../../src/volume/local/local-keeping.ts'
import {
  SnapshotNotFoundError,
  VolumeNotFoundError,
} from '../../src/volume/volume-errors.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { VOLUMES_KEY, volumesPart } from '../../src/volume/volume-part.ts'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { VolumeTransfers } from '../../src/volume/volume-transfers.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'
import { storeKeptBy } from '../support/open-store.ts'
import { collect, readTar } from '../support/read-tar.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('VolumeTransfers', () => {
  needs('root')
  let volumes: VolumeLookupCache
  let transfers: VolumeTransfers
  afterEach(() => volumes.close())
  const root = useTempDir()

  const open = async (): Promise<void> => {
    const openLocal = storeKeptBy(async () => new LocalKeeping())
    volumes = await VolumeLookupCache.open({
      dataRoot: root.path,
      stores: [
        {
          name: 'default',
          kind: 'local',
          open: () => openLocal(join(root.path, 'store')),
        },
      ],
      log: SILENT,
    })
    await volumes.opened()
    transfers = new VolumeTransfers(volumes)
  }

  const fill = async (
    name: string,
    files: Readonly<Record<string, string>>,
  ): Promise<void> => {
    await volumes.create(name, {})
    const path = await volumes.mount(name, 'filler')
    for (const [file, text] of Object.entries(files)) {
      await fs.writeFile(join(path, file), text)
    }
    await volumes.unmount(name, 'filler')
  }

  beforeEach(async () => {
    await open()
    await fill('db', { table: 'rows', index: 'keys' })
  })

  it('exports a volume, which comes back alike in another', async () => {
    await volumes.create('copy', {})
    const result = await transfers.import('copy', await transfers.export('db'))
    expect(result.skipped).to.deep.equal([])
    const { mountpoint } = volumes.get('copy')
    expect(await fs.readdir(mountpoint)).to.have.members(['table', 'index'])
    expect(await fs.readFile(join(mountpoint, 'table'), 'utf8')).to.equal(
      'rows',
    )
  })

  it('exports what passes a filter, or headers alone', async () => {
    const filter = { exclude: ['index'] }
    const filtered = await namesIn(await transfers.export('db', { filter }))
    expect(filtered).to.include('table').and.not.include('index')
    const headers = await transfers.export('db', { data: false })
    expect((await collect(headers)).toString()).to.not.include('rows')
  })

  it('exports what differs from another volume', async () => {
    await fill('later', { table: 'more rows', index: 'keys', log: 'lines' })
    for (const name of ['db', 'later']) {
      await fs.utimes(join(volumes.get(name).mountpoint, 'index'), 1, 1)
    }
    const tar = await transfers.export('later', { ancestor: 'db' })
    const names = await namesIn(tar)
    expect(names).to.include.members(['table', 'log'])
    expect(names).to.not.include('index')
  })

  it('exports a snapshot of a volume that is being written to', async () => {
    await volumes.snapshots.create('db', { name: 'monday' })
    const path = await volumes.mount('db', 'app')
    await fs.writeFile(join(path, 'log'), 'lines')
    const names = await namesIn(await transfers.export('db@monday'))
    expect(names).to.include('table').and.not.include('log')
    const since = await transfers.export('db', { ancestor: 'db@monday' })
    expect(await namesIn(since)).to.include('log')
    await volumes.snapshots.delete('db', 'monday')
    await expectRejection(
      transfers.export('db@monday'),
      SnapshotNotFoundError,
      /no snapshot "monday"/,
    )
  })

  it('holds a volume for as long as it is read or written, and no longer', async () => {
    const tar = await transfers.export('db')
    expect(volumes.holders('db').size).to.equal(1)
    tar.destroy()
    await untilClosed(tar)
    expect(volumes.holders('db').size).to.equal(0)

    const source = await transfers.openSource('db')
    expect(await source.stat('table')).to.include({ name: 'table', size: 4 })
    await source.close()
    const text = Readable.from([Buffer.from('no tar'.repeat(100))])
    await expectRejection(transfers.import('db', text), InvalidArgumentError)
    const missing = transfers.export('db', { ancestor: 'absent' })
    await expectRejection(missing, VolumeNotFoundError)
    expect(volumes.holders('db').size).to.equal(0)
  })

  it('knows no volume that does not exist', async () => {
    const tar = Readable.from([forgeTar()])
    for (const attempt of [
      transfers.export('absent'),
      transfers.openSource('absent'),
      transfers.openSink('absent'),
      transfers.import('absent', tar),
      transfers.locate('absent'),
      transfers.owners('/storage/volumes/default/absent'),
      transfers.owners('/storage/volumes/other/db'),
    ]) {
      await expectRejection(attempt, VolumeNotFoundError)
    }
  })

  it('tells where a volume is, and who holds it how often', async () => {
    await volumes.mount('db', 'two')
    await volumes.mount('db', 'one')
    await volumes.mount('db', 'one')
    const link = await transfers.locate('db')
    expect(link).to.equal('/storage/volumes/default/db')
    expect(await transfers.owners(link)).to.deep.equal([
      { id: 'one', holds: 2 },
      { id: 'two', holds: 1 },
    ])
    await expectRejection(
      transfers.owners('/storage/images/default/db'),
      InvalidArgumentError,
    )
  })

  it('lets go of what a killed process was transferring, and of nothing else', async () => {
    await volumes.mount('db', 'docker')
    await transfers.openSource('db')
    await transfers.openSource('db')
    expect(volumes.holders('db').size).to.equal(3)
    await volumes.close()
    await open()
    expect([...volumes.holders('db').keys()]).to.deep.equal(['docker'])
  })

  it('leaves nothing mounted that only a killed process was transferring', async () => {
    await volumes.create('shown', { ro: 'true' })
    await transfers.openSource('shown')
    expect(await mountsBelow(root.path)).to.have.length(1)
    await volumes.close()
    await open()
    expect(volumes.holders('shown').size).to.equal(0)
    expect(await mountsBelow(root.path)).to.deep.equal([])
  })

  it('is how storage as a whole moves volumes', async () => {
    const storage = await Storage.open({ dataRoot: root.path }, [
      volumesPart(volumes),
    ])
    expect(storage.registry.getImporters()).to.deep.equal([VOLUMES_KEY])
    expect(storage.registry.getExporters()).to.deep.equal([VOLUMES_KEY])
    const tar = await storage.export(VOLUMES_KEY, 'db')
    expect(await namesIn(tar)).to.include('table')
    await storage.close()
    expect(storage.registry.getExporters()).to.deep.equal([])
    expect(volumes.get('db').name).to.equal('db')
  })
})

async function namesIn(tar: Readable): Promise<readonly string[]> {
  return readTar(await collect(tar)).map(({ name }) => name)
}
