import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  InUseError,
  InvalidArgumentError,
  NotSupportedError,
  UnavailableError,
} from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  SnapshotNotFoundError,
  VolumeExistsError,
  VolumeInUseError,
  VolumeNotFoundError,
} from '../../src/volume/volume-errors.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'

const MIB = 1024 * 1024

describe('VolumeChanges', () => {
  needs('root')
  let volumes: VolumeLookupCache
  afterEach(() => volumes.close())
  const home = useTempDir()

  const open = async (): Promise<void> => {
    const specs = parseStoreSpecs('default=local: other=local: memory=tmpfs:')
    const [dataRoot, log] = [home.path, SILENT]
    const stores = specs.map((spec) => storeSource(spec, { dataRoot, log }))
    volumes = await VolumeLookupCache.open({ dataRoot, stores, log })
    await volumes.opened()
  }
  beforeEach(open)

  const write = async (volume: string, text: string): Promise<void> => {
    const path = await volumes.mount(volume, 'writer')
    await fs.writeFile(join(path, 'table'), text)
    await volumes.unmount(volume, 'writer')
  }

  const read = async (volume: string): Promise<string> => {
    const path = await volumes.mount(volume, 'reader')
    const text = await fs.readFile(join(path, 'table'), 'utf8')
    await volumes.unmount(volume, 'reader')
    return text
  }

  describe('clone', () => {
    beforeEach(async () => {
      await volumes.create('db', { store: 'other' })
      await write('db', 'rows')
    })

    it('begins a volume as another is, in the store of that', async () => {
      const options = { 'label.team': 'blue' }
      const copy = await volumes.changes.clone('db', 'copy', options)
      expect(copy.store).to.equal('other')
      expect(copy.options).to.deep.include({ from: 'db' })
      expect(copy.options.labels).to.deep.equal({ team: 'blue' })
      expect(await read('copy')).to.equal('rows')
      expect(volumes.get('copy')).to.deep.equal(copy)
    })

    it('begins a volume as another was', async () => {
      await volumes.snapshots.create('db', { name: 'monday' })
      await write('db', 'other rows')
      await volumes.mount('db', 'app')
      await volumes.changes.clone('db@monday', 'copy')
      expect(await read('copy')).to.equal('rows')
    })

    it('is what Docker is told of, where it would wait for long', async () => {
      await expectRejection(
        volumes.create('copy', { from: 'db' }),
        NotSupportedError,
        /the option "from", because it copies file by file, .*: use "stowage clone"/,
      )
    })

    it('takes what is there, from its own store, into a name that is free', async () => {
      const { changes } = volumes
      await expectRejection(changes.clone('no', 'copy'), VolumeNotFoundError)
      await expectRejection(
        changes.clone('db@no', 'copy'),
        SnapshotNotFoundError,
      )
      await expectRejection(changes.clone('db', 'db'), VolumeExistsError)
      await expectRejection(
        changes.clone('db', 'copy', { store: 'default' }),
        NotSupportedError,
        /must be in its volume store, "other"/,
      )
      await volumes.mount('db', 'app')
      await expectRejection(changes.clone('db', 'copy'), InUseError, /by app/)
      expect(volumes.list()).to.have.length(1)
    })

    it('tells whoever comes meanwhile, and keeps nobody waiting', async () => {
      const path = await volumes.mount('db', 'writer')
      for (let file = 0; file < 500; file++) {
        await fs.writeFile(join(path, `file-${file}`), 'text')
      }
      await volumes.unmount('db', 'writer')
      const clone = { isDone: false }
      const cloning = volumes.changes.clone('db', 'copy').finally(() => {
        clone.isDone = true
      })
      let refusal: unknown
      while (refusal === undefined && !clone.isDone) {
        try {
          await volumes.protect('db', false)
        } catch (error) {
          refusal = error
        }
      }
      expect(refusal).to.be.instanceOf(UnavailableError)
      expect(refusal).to.have.property(
        'message',
        'Volume "db" cannot be used now: cloning it is under way, try again when that is done',
      )
      await cloning
      expect(await read('copy')).to.equal('rows')
    })
  })

  describe('rename', () => {
    it('gives a volume another name, with all that it has', async () => {
      await volumes.create('db', { 'label.team': 'blue' })
      await write('db', 'rows')
      await volumes.snapshots.create('db', { name: 'monday' })
      await volumes.changes.rename('db', 'base')
      expect(await read('base')).to.equal('rows')
      expect(() => volumes.get('db')).to.throw(VolumeNotFoundError)
      await volumes.close()
      await open()
      expect(volumes.list().map(({ name }) => name)).to.deep.equal(['base'])
      expect(volumes.get('base').snapshots).to.have.length(1)
    })

    it('takes no name that is taken, in whatever store, and no held volume', async () => {
      await volumes.create('db', {})
      await volumes.create('taken', { store: 'other' })
      const { changes } = volumes
      await expectRejection(changes.rename('db', 'taken'), VolumeExistsError)
      await expectRejection(changes.rename('db', '../x'), InvalidArgumentError)
      await expectRejection(changes.rename('no', 'new'), VolumeNotFoundError)
      await volumes.mount('db', 'app')
      await expectRejection(changes.rename('db', 'new'), VolumeInUseError)
    })
  })

  describe('resize', () => {
    it('grows a volume in use, and shrinks one that nobody holds', async () => {
      await volumes.create('db', { store: 'memory', capacity: '16MiB' })
      await volumes.mount('db', 'app')
      const { changes } = volumes
      const { effective } = await changes.resize('db', 32 * MIB)
      expect(effective).to.equal('now')
      expect(volumes.get('db').capacity).to.equal(32 * MIB)
      await expectRejection(changes.resize('db', MIB), VolumeInUseError)
      await volumes.unmount('db', 'app')
      await changes.resize('db', 8 * MIB)
      expect(volumes.get('db').capacity).to.equal(8 * MIB)
      expect(volumes.get('db').options.capacity).to.equal(16 * MIB)
    })

    it('says why a store cannot', async () => {
      await volumes.create('db', {})
      await expectRejection(
        volumes.changes.resize('db', MIB),
        NotSupportedError,
        /^Volume store "default" cannot give volumes more capacity, because a plain directory cannot be kept from growing$/,
      )
    })
  })

  describe('set', () => {
    it('changes labels, and takes them away', async () => {
      await volumes.create('db', { 'label.team': 'blue', 'label.old': 'x' })
      const changes = { 'label.team': 'red', 'label.old': undefined }
      await volumes.changes.set('db', changes)
      await volumes.close()
      await open()
      expect(volumes.get('db').options.labels).to.deep.equal({ team: 'red' })
    })

    it('changes the attributes that a volume has when it is mounted next', async () => {
      await volumes.create('db', { mode: '0755' })
      await write('db', 'rows')
      await volumes.changes.set('db', { mode: '0700', uid: '70' })
      const path = await volumes.mount('db', 'app')
      const { mode, uid } = await fs.stat(path)
      expect({ mode: mode & 0o777, uid }).to.deep.equal({
        mode: 0o700,
        uid: 70,
      })
    })

    it('makes a volume read-only, and writable again, while nobody holds it', async () => {
      await volumes.create('db', {})
      await write('db', 'rows')
      await volumes.changes.set('db', { ro: 'true' })
      const path = await volumes.mount('db', 'app')
      const writing = fs.writeFile(join(path, 'more'), '')
      expect(await expectRejection(writing, Error)).to.include({
        code: 'EROFS',
      })
      const setting = volumes.changes.set('db', { ro: undefined })
      await expectRejection(setting, VolumeInUseError)
      await volumes.unmount('db', 'app')
      await volumes.changes.set('db', { ro: undefined })
      await write('db', 'more rows')
    })

    it('refuses what cannot change, and what cannot be', async () => {
      await volumes.create('db', {})
      for (const [option, reason] of [
        ['size', /by resizing/],
        ['store', /stays in the store/],
        ['from', /is past/],
        ['path', /adopt another/],
        ['colour', /not known/],
        ['mode', /octal/],
      ] as const) {
        await expectRejection(
          volumes.changes.set('db', { [option]: '1x' }),
          InvalidArgumentError,
          reason,
        )
      }
    })
  })
})
