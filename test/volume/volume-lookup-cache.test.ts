import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import {
  AlreadyExistsError,
  InUseError,
  InvalidArgumentError,
  NotSupportedError,
  UnavailableError,
} from '../../src/base/errors.ts'
import { inParallel } from '../../src/base/in-parallel.ts'
import { SILENT } from '../../src/base/log.ts'
import { mount, unmount } from '../../src/linux/mount.ts'
import type { VolumeStoreSource } from '../../src/volume/attached-store.ts'
import { LocalKeeping } from '../../src/volume/local/local-keeping.ts'
import {
  VolumeExistsError,
  VolumeInUseError,
  VolumeNotFoundError,
  VolumeStoreNotFoundError,
} from '../../src/volume/volume-errors.ts'
import {
  type CacheOptions,
  VolumeLookupCache,
} from '../../src/volume/volume-lookup-cache.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import {
  type Fault,
  FaultyVolumeStore,
  type StoreCall,
} from '../support/faulty-volume-store.ts'
import {
  type Memory,
  MemoryVolumeStore,
} from '../support/memory-volume-store.ts'
import { storeKeptBy } from '../support/open-store.ts'
import { until } from '../support/until.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

/** A store in memory that remembers from one opening to the next, and can fail. */
interface TestStore extends VolumeStoreSource {
  readonly memory: Memory
  /** What the store was asked, in order. */
  readonly calls: string[]
  before: Fault
  after: Fault
  /** Thrown by `open`. */
  failure: Error | undefined
  /** What the last `open` was told. */
  wasKnown: boolean | undefined
}

describe('VolumeLookupCache', () => {
  let volumes: VolumeLookupCache | undefined
  afterEach(async () => {
    await volumes?.close()
    volumes = undefined
  })
  const root = useTempDir()

  const testStore = (name: string): TestStore => {
    const memory: Memory = new Map()
    const calls: string[] = []
    const store: TestStore = {
      name,
      kind: 'memory',
      memory,
      calls,
      before: () => undefined,
      after: () => undefined,
      failure: undefined,
      wasKnown: undefined,
      async open({ isKnown }) {
        store.wasKnown = isKnown
        if (store.failure !== undefined) throw store.failure
        const home = join(root.path, name)
        await fs.mkdir(home, { recursive: true })
        const faulty = new FaultyVolumeStore(
          new MemoryVolumeStore(name, home, memory),
        )
        faulty.before = (call, volume) => {
          calls.push(volume === '' ? call : `${call} ${volume}`)
          return store.before(call, volume)
        }
        faulty.after = (call, volume) => store.after(call, volume)
        return faulty
      },
    }
    return store
  }

  const openLocal = storeKeptBy(async () => new LocalKeeping())
  const local = (): VolumeStoreSource => ({
    name: 'default',
    kind: 'local',
    open: ({ isKnown }) => openLocal(join(root.path, 'local'), isKnown),
  })

  const open = async (
    stores: readonly VolumeStoreSource[],
    options: Partial<CacheOptions> = {},
  ): Promise<VolumeLookupCache> => {
    await volumes?.close()
    volumes = await VolumeLookupCache.open({
      dataRoot: root.path,
      stores,
      log: SILENT,
      ...options,
    })
    await volumes.opened()
    return volumes
  }

  describe('creating', () => {
    it('creates in the default store, or the one that is named', async () => {
      const cache = await open([testStore('default'), testStore('big')])
      expect(await cache.create('a', {})).to.include({ store: 'default' })
      expect(await cache.create('b', { Store: 'big' })).to.include({
        store: 'big',
      })
      expect(
        cache.list().map(({ name, store }) => [name, store]),
      ).to.deep.equal([
        ['a', 'default'],
        ['b', 'big'],
      ])
    })

    it('names the store that does not exist before it looks at the name', async () => {
      const cache = await open([testStore('big')])
      await cache.create('a', { store: 'big' })
      await expectRejection(
        cache.create('a', {}),
        VolumeStoreNotFoundError,
        /"default" does not exist: there is "big"/,
      )
    })

    it('has each name once over all stores', async () => {
      const cache = await open([testStore('default'), testStore('big')])
      await cache.create('a', {})
      await expectRejection(
        cache.create('a', { store: 'big' }),
        VolumeExistsError,
      )
      expect(cache.get('a').store).to.equal('default')
    })

    for (const name of [
      '',
      '.',
      '..',
      '../x',
      'a/b',
      'a\0b',
      'n'.repeat(256),
    ]) {
      it(`refuses the name ${JSON.stringify(name.slice(0, 8))} without asking a store`, async () => {
        const store = testStore('default')
        const cache = await open([store])
        await expectRejection(cache.create(name, {}), InvalidArgumentError)
        expect(store.calls).to.deep.equal(['list'])
      })
    }

    it('refuses options that are wrong without asking a store', async () => {
      const store = testStore('default')
      const cache = await open([store])
      for (const typed of [{ colour: 'red' }, { mode: 'x' }, { help: '' }]) {
        await expectRejection(cache.create('a', typed), InvalidArgumentError)
      }
      expect(store.calls).to.deep.equal(['list'])
    })

    it('refuses options that the store cannot honour, with its reason', async () => {
      const store = testStore('default')
      const cache = await open([store])
      for (const typed of [
        { capacity: '1G' },
        { ro: '' },
        { uid: '5' },
        { mode: '0700' },
        { path: '/srv' },
      ]) {
        await expectRejection(
          cache.create('a', typed),
          NotSupportedError,
          /"default" cannot honour the option "\w+", because it forgets/,
        )
      }
      expect(cache.list()).to.deep.equal([])
      expect(store.calls).to.deep.equal(['list'])
    })

    it('gives one of 32 creators the name, and refuses the others', async () => {
      const cache = await open([testStore('default')])
      const attempts = await Promise.allSettled(
        Array.from({ length: 32 }, () => cache.create('a', {})),
      )
      const refusals = attempts.filter(({ status }) => status === 'rejected')
      expect(refusals).to.have.length(31)
      for (const { reason } of refusals as PromiseRejectedResult[]) {
        expect(reason).to.be.instanceOf(VolumeExistsError)
      }
    })

    it('creates 1,000 volumes in three stores, 32 at a time', async () => {
      const stores = ['default', 'big', 'fast']
      const cache = await open(stores.map(testStore))
      const names = Array.from({ length: 1000 }, (_, index) => `v${index}`)
      await inParallel(names, 32, (name) =>
        cache.create(name, { store: stores[Number(name.slice(1)) % 3]! }),
      )
      expect(cache.list().map(({ name }) => name)).to.deep.equal(
        names.toSorted(),
      )
    })

    it('lets nothing befall a volume that is being cloned', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('b', {})
      store.before = (call) => (call === 'create' ? sleep(50) : undefined)
      await Promise.all([
        cache.create('a', { from: 'b' }),
        sleep(10).then(() => cache.remove('b')),
      ])
      const acts = store.calls.slice(-3)
      expect(acts).to.deep.equal(['create b', 'create a', 'remove b'])
    })

    it('is not held up by two that are to be clones of each other', async () => {
      const cache = await open([testStore('default')])
      const attempts = await Promise.allSettled([
        cache.create('a', { from: 'b' }),
        cache.create('b', { from: 'a' }),
      ])
      for (const { reason } of attempts as PromiseRejectedResult[]) {
        expect(reason).to.be.instanceOf(VolumeNotFoundError)
      }
    })

    it('forgets a volume whose creation failed', async () => {
      const store = testStore('default')
      const cache = await open([store])
      store.before = fail('create')
      await expectRejection(cache.create('a', {}), Error, /broken/)
      expect(cache.list()).to.deep.equal([])
      store.before = () => undefined
      await cache.create('a', {})
    })

    it('learns of a volume that the store has and it has not', async () => {
      const store = testStore('default')
      const cache = await open([store])
      store.after = fail('create')
      await expectRejection(cache.create('a', {}), Error, /broken/)
      store.after = () => undefined
      await expectRejection(cache.create('a', {}), VolumeExistsError)
      expect(cache.get('a').name).to.equal('a')
    })

    it('takes back what was created too late for its caller', async () => {
      const store = testStore('default')
      const cache = await open([store], { deadline: 30 })
      store.after = (call) => (call === 'create' ? sleep(80) : undefined)
      await expectRejection(
        cache.create('a', {}),
        UnavailableError,
        /Creating volume "a" did not finish/,
      )
      await until(() => store.calls.includes('remove a'))
      await until(() => store.memory.size + cache.list().length === 0)
    })
  })

  describe('looking up', () => {
    it('answers from memory: no store is asked', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('a', {})
      store.calls.length = 0
      cache.get('a')
      cache.list()
      expect(() => cache.get('b')).to.throw(VolumeNotFoundError)
      expect(store.calls).to.deep.equal([])
    })

    it('has what was created when it is opened again', async () => {
      const store = testStore('default')
      const created = await (
        await open([store])
      ).create('a', { 'label.x': 'y' })
      expect((await open([store])).get('a')).to.deep.equal(created)
    })

    it('shows what is damaged, and refuses to use it', async () => {
      let cache = await open([local()])
      await cache.create('good', {})
      await cache.create('bad', {})
      const record = join(root.path, 'local/volumes/bad/volume.json')
      await fs.writeFile(record, 'garbage')
      await fs.rm(`${record}.copy`)

      cache = await open([local()])
      expect(cache.list().map(({ name }) => name)).to.deep.equal([
        'bad',
        'good',
      ])
      expect(cache.entry('bad').problem).to.match(/not JSON/)
      expect(cache.stores()[0]).to.include({
        state: 'degraded',
        reason: 'damaged: bad',
      })
      for (const use of [
        () => cache.mount('bad', 'one'),
        () => cache.remove('bad', { dropHolders: true }),
      ]) {
        await expectRejection(use(), UnavailableError, /"bad" cannot be used/)
      }
      await expectRejection(cache.create('bad', {}), VolumeExistsError)
      await cache.unmount('bad', 'one')
      expect(await fs.readFile(record, 'utf8')).to.equal('garbage')
    })

    it('reports twins under their one name, and uses neither', async () => {
      const stores = [testStore('default'), testStore('big')]
      await (await open([stores[0]!])).create('a', {})
      await (await open([stores[1]!])).create('a', { store: 'big' })
      const cache = await open(stores)
      expect(cache.list()).to.have.length(1)
      expect(cache.entry('a').problem).to.match(/default, big/)
      await expectRejection(cache.mount('a', 'one'), UnavailableError)
      await expectRejection(cache.remove('a'), UnavailableError)
      expect(stores.map(({ memory }) => memory.size)).to.deep.equal([1, 1])
    })
  })

  describe('holding', () => {
    it('mounts again for a holder that repeats itself, and counts it', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('a', {})
      const path = await cache.mount('a', 'one')
      expect(await cache.mount('a', 'one')).to.equal(path)
      await cache.unmount('a', 'one')
      expect(store.calls).to.not.include('unmount a')
      await cache.unmount('a', 'one')
      expect(store.calls).to.include('unmount a')
      expect(cache.holders('a').size).to.equal(0)
    })

    it('unmounts when the last of several holders lets go', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('a', {})
      await cache.mount('a', 'one')
      await cache.mount('a', 'two')
      await cache.unmount('a', 'one')
      expect(store.calls).to.not.include('unmount a')
      await cache.unmount('a', 'two')
      expect(store.calls).to.include('unmount a')
    })

    it('takes back what nobody holds, or nobody knows, without a word', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('a', {})
      await cache.mount('a', 'one')
      await cache.unmount('a', 'two')
      await cache.unmount('absent', 'one')
      expect([...cache.holders('a').keys()]).to.deep.equal(['one'])
      expect(store.calls).to.not.include('unmount a')
    })

    it('remembers holders when it is opened again', async () => {
      const store = testStore('default')
      let cache = await open([store])
      await cache.create('a', {})
      await cache.mount('a', 'one')
      await cache.mount('a', 'two')
      cache = await open([store])
      await cache.unmount('a', 'one')
      expect(store.calls).to.not.include('unmount a')
      await cache.unmount('a', 'two')
      expect(store.calls).to.include('unmount a')
    })

    it('forgets the holders of another boot', async () => {
      const store = testStore('default')
      let cache = await open([store])
      await cache.create('a', {})
      await cache.mount('a', 'one')
      await cache.close()
      const journal = join(root.path, 'state', 'volume-holds')
      const [, ...lines] = (await fs.readFile(journal, 'utf8')).split('\n')
      await fs.writeFile(journal, ['another boot', ...lines].join('\n'))
      volumes = undefined
      cache = await open([store])
      expect(cache.holders('a').size).to.equal(0)
      await cache.mount('a', 'one')
      expect(cache.holders('a').get('one')).to.equal(1)
    })

    it('holds nothing after a mount that failed, so that it can be repeated', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('a', {})
      store.after = fail('mount')
      await expectRejection(cache.mount('a', 'one'), Error, /broken/)
      expect(store.calls).to.include('unmount a')
      expect(cache.holders('a').size).to.equal(0)
      store.after = () => undefined
      await cache.mount('a', 'one')
    })

    it('lets go of what was mounted too late for its caller', async () => {
      const store = testStore('default')
      const cache = await open([store], { deadline: 30 })
      await cache.create('a', {})
      store.after = (call) => (call === 'mount' ? sleep(80) : undefined)
      await expectRejection(cache.mount('a', 'one'), UnavailableError)
      await until(() => store.calls.at(-1) === 'unmount a')
      await until(() => cache.holders('a').size === 0)
    })

    it('never begins what its caller has given up', async () => {
      const store = testStore('default')
      const cache = await open([store], { deadline: 30 })
      await cache.create('a', {})
      store.before = (call) => (call === 'mount' ? sleep(80) : undefined)
      const slow = cache.mount('a', 'one')
      const waiting = cache.remove('a', { dropHolders: true })
      await expectRejection(slow, UnavailableError)
      await expectRejection(waiting, UnavailableError)
      await sleep(120)
      expect(store.calls).to.not.include('remove a')
      expect(cache.get('a').name).to.equal('a')
    })

    it('is not kept from one volume by another that is slow', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('b', {})
      const finish = new AbortController()
      const slow = once(finish.signal, 'abort')
      store.before = async (_call, name) => {
        if (name === 'a') await slow
      }
      const creation = cache.create('a', {})
      cache.get('b')
      await cache.mount('b', 'one')
      await cache.unmount('b', 'one')
      await cache.remove('b')
      finish.abort()
      await creation
    })
  })

  describe('removing', () => {
    it('never shows a volume that goes as one that nobody holds', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('a', {})
      await cache.mount('a', 'one')
      const seen: number[] = []
      store.before = async (call) => {
        if (call === 'remove') seen.push(cache.holders('a').size)
      }
      await cache.remove('a', { dropHolders: true })
      expect(seen).to.deep.equal([1])
      expect(cache.holders('a').size).to.equal(0)
    })

    it('leaves nobody holding a volume that was unmounted and could not go', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('a', {})
      await cache.mount('a', 'one')
      store.before = async (call) => {
        if (call === 'remove') throw new Error('not now')
      }
      const removal = cache.remove('a', { dropHolders: true })
      await expectRejection(removal, Error)
      expect(cache.holders('a').size).to.equal(0)
    })

    it('refuses while somebody holds the volume, and names them', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('a', {})
      await cache.mount('a', 'one')
      await cache.mount('a', 'two')
      const refusal = await expectRejection(
        cache.remove('a'),
        VolumeInUseError,
        /"a" is in use by one, two/,
      )
      expect(refusal.holders).to.deep.equal(['one', 'two'])
      expect(store.calls).to.not.include('remove a')
      expect(cache.get('a').name).to.equal('a')
    })

    it('drops holders when told to: unmounts, then removes', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('a', {})
      await cache.mount('a', 'one')
      await cache.remove('a', { dropHolders: true })
      expect(store.calls.slice(-2)).to.deep.equal(['unmount a', 'remove a'])
      expect(() => cache.get('a')).to.throw(VolumeNotFoundError)
      await cache.create('a', {})
      expect(cache.holders('a').size).to.equal(0)
    })

    it('refuses to remove what is protected, whoever asks', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('a', { protect: '' })
      for (const dropHolders of [false, true]) {
        await expectRejection(
          cache.remove('a', { dropHolders }),
          InUseError,
          /protected/,
        )
      }
      expect(store.memory.has('a')).to.equal(true)
    })

    it('does not know what it does not have', async () => {
      const cache = await open([testStore('default')])
      await expectRejection(cache.remove('absent'), VolumeNotFoundError)
    })

    it('forgets a volume that had vanished behind its back', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('a', {})
      store.memory.clear()
      await cache.remove('a')
      expect(cache.list()).to.deep.equal([])
    })

    it('still has a volume whose removal failed, and removes it next time', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('a', {})
      store.before = fail('remove')
      await expectRejection(cache.remove('a'), Error, /broken/)
      expect(cache.get('a').name).to.equal('a')
      store.before = () => undefined
      await cache.remove('a')
    })

    it('removes what the store had removed without being able to say so', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('a', {})
      store.after = fail('remove')
      await expectRejection(cache.remove('a'), Error, /broken/)
      store.after = () => undefined
      await cache.remove('a')
      expect(cache.list()).to.deep.equal([])
    })

    it('never mounts what is removed, in 1,000 races', async function () {
      // Each waits for the disk, which is a busy one's to say.
      this.timeout(120_000)
      const store = testStore('default')
      const cache = await open([store])
      for (let round = 0; round < 1000; round++) {
        await cache.create('a', {})
        const [mounting, removing] = await Promise.allSettled([
          cache.mount('a', 'one'),
          cache.remove('a'),
        ])
        const outcome = `${mounting.status} ${removing.status}`
        expect(outcome).to.be.oneOf([
          'fulfilled rejected',
          'rejected fulfilled',
        ])
        if (removing.status === 'rejected') {
          await cache.remove('a', { dropHolders: true })
        }
      }
    })
  })

  describe('with a store that cannot be reached', () => {
    const down = new UnavailableError('The disk is away')

    it('says of no name that it is absent until all stores were read', async () => {
      const [store, away] = [testStore('default'), testStore('big')]
      away.failure = new Error('mount it first')
      const cache = await open([store, away])
      expect(() => cache.get('a')).to.throw(UnavailableError, /"big"/)
      await expectRejection(cache.create('a', {}), UnavailableError)
      expect(cache.stores()).to.deep.equal([
        {
          name: 'big',
          kind: 'memory',
          state: 'offline',
          names: 0,
          repairs: [],
          reason: 'mount it first',
        },
        {
          name: 'default',
          kind: 'memory',
          state: 'online',
          names: 0,
          repairs: [],
        },
      ])
    })

    it('keeps its names from one start to the next', async () => {
      const [store, away] = [testStore('default'), testStore('big')]
      await (await open([store, away])).create('a', { store: 'big' })
      away.failure = new Error('mount it first')
      const cache = await open([store, away])
      expect(cache.entry('a').problem).to.match(/"big".*mount it first/)
      await expectRejection(cache.mount('a', 'one'), UnavailableError)
      await expectRejection(cache.create('a', {}), VolumeExistsError)
      expect(() => cache.get('b')).to.throw(VolumeNotFoundError)
      await cache.create('b', {})
      expect(cache.list().map(({ name }) => name)).to.deep.equal(['a', 'b'])
    })

    it('does not take a volume for absent that a crash kept it from noting', async () => {
      const store = testStore('default')
      const cache = await open([store])
      // As after a kill when the store was done, and before anyone heard of it.
      store.after = fail('create')
      await expectRejection(cache.create('a', {}), Error, /broken/)
      store.after = () => undefined
      store.before = async (call) => {
        if (call === 'list') await sleep(50)
      }
      await cache.close()
      volumes = await VolumeLookupCache.open({
        dataRoot: root.path,
        stores: [store],
        log: SILENT,
      })
      expect((await volumes.settledEntry('a')).name).to.equal('a')
    })

    it('is told that it is not new', async () => {
      const store = testStore('default')
      await open([store])
      expect(store.wasKnown).to.equal(false)
      await open([store])
      expect(store.wasKnown).to.equal(true)
    })

    it('waits while it is being opened, and only for what it may have', async () => {
      const [store, slow] = [testStore('default'), testStore('big')]
      await (await open([store, slow])).create('a', { store: 'big' })
      slow.before = async (call) => {
        if (call === 'list') await sleep(100)
      }
      await volumes?.close()
      const cache = (volumes = await VolumeLookupCache.open({
        dataRoot: root.path,
        stores: [store, slow],
        log: SILENT,
      }))
      await cache.create('b', {})
      await cache.mount('b', 'one')
      expect(cache.stores()[0]).to.include({ state: 'opening', names: 1 })
      const [entry] = await Promise.all([
        cache.settledEntry('a'),
        cache.mount('a', 'one'),
      ])
      expect(entry.problem).to.equal(undefined)
    })

    it('uses it as soon as it is back', async () => {
      const store = testStore('default')
      await (await open([store])).create('a', {})
      store.failure = new Error('not yet')
      const cache = await open([store])
      expect(() => cache.get('a')).to.throw(UnavailableError)
      store.failure = undefined
      await until(() => cache.stores()[0]!.state === 'online')
      expect(cache.get('a').name).to.equal('a')
    })

    it('keeps its names when it is lost, and leaves other stores alone', async () => {
      const [store, away] = [testStore('default'), testStore('big')]
      const cache = await open([store, away])
      await cache.create('a', { store: 'big' })
      away.before = () => {
        throw down
      }
      await expectRejection(cache.mount('a', 'one'), UnavailableError, /away/)
      expect(cache.stores()[0]).to.include({ state: 'offline', names: 1 })
      expect(cache.entry('a')).to.deep.include({ store: 'big' })
      expect(cache.entry('a').problem).to.match(
        /"big" cannot be reached: .*away/,
      )
      expect(() => cache.get('a')).to.throw(UnavailableError)
      expect(() => cache.get('other')).to.throw(VolumeNotFoundError)
      await expectRejection(cache.create('a', {}), VolumeExistsError)
      await cache.create('b', {})
      await cache.mount('b', 'one')

      away.before = () => undefined
      await until(() => cache.stores()[0]!.state === 'online')
      await cache.mount('a', 'one')
    })

    it('is tried again at once by whoever needs it, and asked nothing while it is away', async () => {
      const store = testStore('default')
      const cache = await open([store])
      await cache.create('a', {})
      store.before = () => {
        throw down
      }
      await expectRejection(cache.mount('a', 'one'), UnavailableError)
      const asked = store.calls.length
      await expectRejection(cache.mount('a', 'one'), UnavailableError)
      await expectRejection(cache.create('b', {}), UnavailableError)
      const calls = store.calls.slice(asked)
      expect(calls).to.have.members(['list', 'list'])
      store.before = () => undefined
      await cache.mount('a', 'one')
    })
  })

  describe('with stores that come and go', () => {
    it('has the volumes of a store from the moment that it is added', async () => {
      const big = testStore('big')
      await (await open([big])).create('a', { store: 'big' })
      const cache = await open([testStore('default')])
      expect(() => cache.get('a')).to.throw(VolumeNotFoundError)
      await cache.addStore(big)
      expect((await cache.settledEntry('a')).store).to.equal('big')
      expect(cache.stores().map(({ name }) => name)).to.deep.equal([
        'big',
        'default',
      ])
    })

    it('refuses a second store of one name', async () => {
      const cache = await open([testStore('default')])
      await expectRejection(
        cache.addStore(testStore('default')),
        AlreadyExistsError,
        /store "default" already exists/,
      )
    })

    it('lets a store go unless somebody holds one of its volumes', async () => {
      const big = testStore('big')
      const cache = await open([testStore('default'), big])
      await cache.create('a', { store: 'big' })
      await cache.mount('a', 'one')
      await expectRejection(cache.removeStore('big'), InUseError, /holds a/)
      await cache.unmount('a', 'one')
      await cache.removeStore('big')
      expect(() => cache.get('a')).to.throw(VolumeNotFoundError)
      expect(big.memory.has('a')).to.equal(true)
      await expectRejection(cache.removeStore('big'), VolumeStoreNotFoundError)
    })

    it('finds out what other hands did when it is told to look', async () => {
      const store = testStore('default')
      const cache = await open([store])
      const gone = await cache.create('gone', {})
      store.memory.delete('gone')
      store.memory.set('new', { ...gone, name: 'new' })
      await cache.refresh('default')
      expect(cache.list().map(({ name }) => name)).to.deep.equal(['new'])
    })

    it('keeps what is created while it looks', async () => {
      const store = testStore('default')
      const cache = await open([store])
      store.after = (call) => (call === 'list' ? sleep(50) : undefined)
      const refreshing = cache.refresh('default')
      await sleep(10)
      await cache.create('a', {})
      await refreshing
      expect(cache.get('a').name).to.equal('a')
    })
  })

  describe('with mounts that the kernel knows', () => {
    needs('root')

    it('counts no holders of what is not mounted', async () => {
      let cache = await open([local()])
      await cache.create('a', { ro: '' })
      const path = await cache.mount('a', 'one')
      await unmount(path)
      cache = await open([local()])
      expect(cache.holders('a').size).to.equal(0)
    })

    it('counts a holder of what is mounted, and lets anyone be it', async () => {
      let cache = await open([local()])
      const { mountpoint } = await cache.create('a', { ro: '' })
      mount({ type: 'bind', source: root.path, options: [] }, mountpoint)
      cache = await open([local()])
      expect(cache.holders('a').size).to.equal(1)
      await expectRejection(cache.remove('a'), VolumeInUseError)
      await cache.unmount('a', 'one')
      expect(cache.holders('a').size).to.equal(0)
      await cache.remove('a')
    })
  })
})

function fail(failing: StoreCall): Fault {
  return (call) => {
    if (call === failing) throw new Error(`${call} is broken`)
  }
}
