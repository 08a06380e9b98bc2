import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { NotFoundError } from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { mount } from '../../src/linux/mount.ts'
import { TrashKeeper } from '../../src/operations/trash-keeper.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'

const HOUR = 3_600_000

describe('TrashKeeper', () => {
  let volumes: VolumeLookupCache
  let keeper: TrashKeeper
  afterEach(async () => {
    await keeper.close()
    await volumes.close()
  })
  const temp = useTempDir()

  const open = async (
    keepFor: number,
    percent = 0,
    stores = 'default=local:',
  ): Promise<void> => {
    volumes = await VolumeLookupCache.open({
      dataRoot: temp.path,
      stores: parseStoreSpecs(stores).map((spec) =>
        storeSource(spec, { dataRoot: temp.path, log: SILENT }),
      ),
      log: SILENT,
    })
    keeper = new TrashKeeper({
      volumes,
      log: SILENT,
      rounds: 20,
      limits: { keepFor, leaveFree: { percent } },
    })
    await volumes.opened()
  }

  const reopen = async (keepFor: number): Promise<void> => {
    await keeper.close()
    await volumes.close()
    await open(keepFor)
  }

  const remove = async (name: string, store = 'default'): Promise<string> => {
    await volumes.create(name, { store })
    return (await volumes.remove(name))?.id ?? ''
  }

  const removedNames = async (): Promise<readonly string[]> =>
    (await keeper.list()).map(({ name }) => name)

  const untilEmpty = async (): Promise<void> => {
    while ((await keeper.list()).length > 0) await sleep(10)
  }

  it('tells until when a volume can be brought back, and brings it back', async () => {
    await open(HOUR)
    const id = await remove('db')
    const [entry] = await keeper.list()
    expect(entry).to.include({ id, name: 'db', store: 'default' })
    const { removedAt = '', expiresAt = '' } = entry ?? {}
    expect(Date.parse(expiresAt) - Date.parse(removedAt)).to.equal(HOUR)
    await keeper.restore(id)
    expect(volumes.get('db').name).to.equal('db')
    expect(await keeper.list()).to.be.empty
  })

  it('brings a volume back under another name when its own is taken', async () => {
    await open(HOUR)
    const id = await remove('db')
    await volumes.create('db', {})
    await keeper.restore(id, 'db-before')
    expect(volumes.list().map(({ name }) => name)).to.deep.equal([
      'db',
      'db-before',
    ])
  })

  it('deletes volumes whose time is over, and no others', async () => {
    await open(300)
    await remove('early')
    await sleep(200)
    await remove('late')
    while ((await removedNames()).length > 1) await sleep(10)
    expect(await removedNames()).to.deep.equal(['late'])
    await untilEmpty()
    expect(await fs.readdir(join(temp.path, 'volumes/default/trash'))).to.be
      .empty
  })

  it('goes by what is in the trash, so that a restart changes nothing', async () => {
    await open(HOUR)
    const id = await remove('db')
    await reopen(HOUR)
    expect((await keeper.list()).map((entry) => entry.id)).to.deep.equal([id])
    await reopen(1)
    await untilEmpty()
  })

  it('deletes one, or all, or those of one store', async () => {
    await open(HOUR, 0, 'default=local: other=local:')
    const ids = [await remove('a'), await remove('b')]
    await remove('c', 'other')
    await keeper.delete(ids[0] ?? '')
    await expectRejection(keeper.delete(ids[0] ?? ''), NotFoundError)
    const emptied = await keeper.empty({ store: 'default' })
    expect(emptied.map(({ name }) => name)).to.deep.equal(['b'])
    expect(await removedNames()).to.deep.equal(['c'])
    await keeper.empty()
    expect(await removedNames()).to.be.empty
  })

  it('tells what the trash of each store comes to', async () => {
    await open(HOUR)
    await volumes.create('db', {})
    const path = await volumes.mount('db', 'me')
    await fs.writeFile(join(path, 'file'), Buffer.alloc(1 << 20, 1))
    await volumes.unmount('db', 'me')
    await volumes.remove('db')
    for (;;) {
      const size = (await keeper.sizes()).get('default')
      expect(size?.volumes).to.equal(1)
      if ((size?.allocated ?? 0) >= 1 << 20) break
      await sleep(10)
    }
  })
})

describe('TrashKeeper where room is short', () => {
  needs('root')
  const temp = useTempDir()

  it('deletes those removed first before their time, and as few as it takes', async () => {
    const small = join(temp.path, 'small')
    await fs.mkdir(small)
    const options = ['size=40m']
    mount({ type: 'tmpfs', source: 'tmpfs', options }, small)
    const [spec] = parseStoreSpecs(`default=local:${small}/store`)
    const source = storeSource(spec!, { dataRoot: temp.path, log: SILENT })
    const volumes = await VolumeLookupCache.open({
      dataRoot: temp.path,
      stores: [source],
      log: SILENT,
    })
    await volumes.opened()
    for (const name of ['first', 'second', 'third']) {
      await volumes.create(name, {})
      const path = await volumes.mount(name, 'me')
      await fs.writeFile(join(path, 'file'), Buffer.alloc(10 << 20, 1))
      await volumes.remove(name, { dropHolders: true })
    }
    const keeper = new TrashKeeper({
      volumes,
      log: SILENT,
      rounds: 100,
      limits: { keepFor: HOUR, leaveFree: { percent: 40 } },
    })
    try {
      while ((await keeper.list()).length > 2) await sleep(10)
      // Room comes back in the background, and is waited for.
      await sleep(2500)
      const left = (await keeper.list()).map(({ name }) => name)
      expect(left).to.deep.equal(['second', 'third'])
    } finally {
      await keeper.close()
      await volumes.close()
    }
  })
})
