import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import {
  InvalidArgumentError,
  NotFoundError,
  NotSupportedError,
} from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { untilClosed } from '../../src/base/until-closed.ts'
import { FolderStore } from '../../src/volume/folder-store.ts'
import { LocalKeeping } from '../../src/volume/local/local-keeping.ts'
import {
  VolumeInUseError,
  VolumeNotFoundError,
} from '../../src/volume/volume-errors.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { VolumeTransfer } from '../../src/volume/volume-transfer.ts'
import { needs } from '../support/capabilities.ts'
import { expectRejection } from '../support/expect-rejection.ts'
import { forgeTar } from '../support/forge-tar.ts'
import { readTar } from '../support/read-tar.ts'
import { useTempDir } from '../support/temp-dir.ts'
import { build, directory, file, hardLink, portray } from '../support/tree.ts'

describe('VolumeTransfer', () => {
  needs('root')
  let volumes: VolumeLookupCache
  let transfer: VolumeTransfer

  afterEach(() => volumes.close())
  const home = useTempDir()

  const open = async (): Promise<void> => {
    volumes = await VolumeLookupCache.open({
      dataRoot: home.path,
      stores: ['default', 'other'].map((name) => ({
        name,
        kind: 'local',
        open: ({ isKnown }) =>
          FolderStore.open({
            name,
            directory: join(home.path, name),
            isKnown,
            keep: async () => new LocalKeeping(),
            log: SILENT,
          }),
      })),
      log: SILENT,
    })
    await volumes.opened()
    transfer = await VolumeTransfer.open(volumes)
  }
  beforeEach(open)

  it('moves a volume to another store, with every attribute', async () => {
    const from = await volumes.create('from', {})
    const to = await volumes.create('to', { store: 'other' })
    await build(
      from.mountpoint,
      directory('d', { mode: 0o1777, uid: 5, mtime: 1_000_000_001n }),
      file('d/f', 'text', { mode: 0o4755, xattrs: { 'user.x': '1' } }),
      hardLink('again', 'd/f'),
    )
    const result = await transfer.import('to', await transfer.export('from'))
    expect(result.skipped).to.deep.equal([])
    const [one, other] = [
      await portray(from.mountpoint),
      await portray(to.mountpoint),
    ]
    expect(other).to.deep.equal(one)
  })

  it('holds a volume while it is read or written, and no longer', async () => {
    await volumes.create('db', {})
    const source = await transfer.openSource('db')
    await expectRejection(volumes.remove('db'), VolumeInUseError, /transfer-/)
    await source.close()
    await source.close()
    const tar = await transfer.export('db')
    expect(volumes.holders('db').size).to.equal(1)
    tar.destroy()
    await untilClosed(tar)
    expect(volumes.holders('db').size).to.equal(0)

    const text = Readable.from([Buffer.from('no tar'.repeat(100))])
    await expectRejection(transfer.import('db', text), InvalidArgumentError)
    await volumes.remove('db')
  })

  it('drops the holds of transfers that a crash cut off, and only those', async () => {
    await volumes.create('db', {})
    await volumes.mount('db', 'container')
    await transfer.openSource('db')
    expect(volumes.holders('db').size).to.equal(2)
    await volumes.close()
    await open()
    expect([...volumes.holders('db').keys()]).to.deep.equal(['container'])
  })

  it('exports filtered, or headers only', async () => {
    const { mountpoint } = await volumes.create('db', {})
    await build(mountpoint, directory('d'), file('d/f', 'text'), file('g'))
    const filter = { include: ['d/'], strip: 'd' }
    const tar = await buffer(await transfer.export('db', { filter }))
    expect(readTar(tar).map(({ name }) => name)).to.deep.equal(['f'])
    const headers = await buffer(await transfer.export('db', { data: false }))
    expect(readTar(headers)).to.have.lengthOf(4)
  })

  it('looks at one path', async () => {
    const { mountpoint } = await volumes.create('db', {})
    await build(mountpoint, file('f', 'text'))
    await using source = await transfer.openSource('db')
    expect((await source.stat('f')).size).to.equal(4)
  })

  it('imports under other names', async () => {
    const { mountpoint } = await volumes.create('db', {})
    const tar = Readable.from([forgeTar({ name: 'f', content: 'text' })])
    await transfer.import('db', tar, { filter: { rebase: 'sub' } })
    const path = join(mountpoint, 'sub/f')
    expect(await fs.readFile(path, 'utf8')).to.equal('text')
  })

  it('does not compare volumes', async () => {
    await volumes.create('db', {})
    const comparing = transfer.export('db', { ancestor: 'db' })
    await expectRejection(comparing, NotSupportedError, /no ancestors/)
  })

  it('tells where a volume is, and who holds it', async () => {
    await volumes.create('db', { store: 'other' })
    const link = await transfer.locate('db')
    expect(link).to.equal('/storage/volumes/other/db')
    expect(await transfer.owners(link)).to.deep.equal([])
    await volumes.mount('db', 'b')
    await volumes.mount('db', 'a')
    await volumes.mount('db', 'a')
    expect(await transfer.owners(link)).to.deep.equal([
      { id: 'a', holds: 2 },
      { id: 'b', holds: 1 },
    ])
    await expectRejection(
      transfer.owners('/storage/volumes/default/db'),
      VolumeNotFoundError,
    )
    await expectRejection(
      transfer.owners('/storage/images/other/db'),
      InvalidArgumentError,
    )
  })

  it('does not know a volume that is not there', async () => {
    for (const asked of [
      () => transfer.export('absent'),
      () => transfer.import('absent', Readable.from([])),
      () => transfer.locate('absent'),
      () => transfer.owners('/storage/volumes/default/absent'),
    ]) {
      await expectRejection(asked(), NotFoundError, /"absent"/)
    }
  })
})
