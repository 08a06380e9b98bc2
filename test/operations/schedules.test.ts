import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { InvalidArgumentError, NotFoundError } from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { Schedules } from '../../src/operations/schedules.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'

const HOURLY = { volumes: ['d*'], cron: '0 * * * *', keep: '4h:1d' }

describe('Schedules', () => {
  needs('root')
  const home = useTempDir()
  let volumes: VolumeLookupCache
  let schedules: Schedules
  let observed: string[]

  const open = (): Promise<Schedules> =>
    Schedules.open({
      path: join(home.path, 'schedules.json'),
      volumes,
      log: SILENT,
      observe: (operation, subject, failure) =>
        observed.push(
          `${operation} ${subject}${failure === undefined ? '' : ' failed'}`,
        ),
    })

  beforeEach(async () => {
    observed = []
    const [dataRoot, log] = [home.path, SILENT]
    const specs = parseStoreSpecs('default=local: memory=tmpfs:')
    const stores = specs.map((spec) => storeSource(spec, { dataRoot, log }))
    volumes = await VolumeLookupCache.open({ dataRoot, stores, log })
    await volumes.opened()
    for (const name of ['db', 'data', 'web']) await volumes.create(name, {})
    schedules = await open()
  })
  afterEach(async () => {
    await schedules.close()
    await volumes.close()
  })

  it('snapshot the volumes that they are for, and no others', async () => {
    await schedules.set('hourly', HOURLY)
    const runs = await schedules.run('hourly')
    expect(runs.map(({ volume }) => volume)).to.deep.equal(['data', 'db'])
    expect(volumes.snapshots.list('db')).to.have.length(1)
    expect(volumes.snapshots.list('web')).to.have.length(0)
    expect(observed).to.have.length(2)
  })

  it('delete what had its time, and nothing that they have not made', async () => {
    await schedules.set('hourly', { ...HOURLY, volumes: ['db'], keep: '1m' })
    const old = 'hourly-20200101-000000.000'
    await volumes.snapshots.create('db', { name: old })
    await volumes.snapshots.create('db', { name: 'hourly-by-hand' })
    const record = join(volumes.get('db').mountpoint, `../snapshots/${old}`)
    await fs.utimes(record, 1, 1)
    await volumes.refresh('default')
    await schedules.run('hourly')
    const names = volumes.snapshots.list('db').map(({ name }) => name)
    expect(names).to.not.include(old)
    expect(names).to.include('hourly-by-hand').and.to.have.length(2)
  })

  it('say what a run would do, and do nothing', async () => {
    await schedules.set('hourly', HOURLY)
    const [first] = schedules.plan('hourly')
    expect(first).to.deep.include({ volume: 'data', delete: [] })
    expect(first!.keep).to.deep.equal([first!.create])
    expect(volumes.snapshots.list('data')).to.deep.equal([])
  })

  it('tell of a volume that cannot be snapshotted, and go on', async () => {
    await volumes.create('dash', { store: 'memory' })
    await schedules.set('hourly', HOURLY)
    const runs = await schedules.run('hourly')
    const failed = runs.filter(({ failure }) => failure !== undefined)
    expect(failed.map(({ volume }) => volume)).to.deep.equal(['dash'])
    expect(schedules.get('hourly').last?.failures).to.have.length(1)
    expect(volumes.snapshots.list('db')).to.have.length(1)
  })

  it('are there after a restart, with their last run', async () => {
    const set = await schedules.set('hourly', HOURLY)
    await schedules.run('hourly')
    await schedules.close()
    schedules = await open()
    expect(schedules.list()).to.have.length(1)
    expect(schedules.get('hourly')).to.deep.include({
      ...HOURLY,
      since: set.since,
    })
    expect(schedules.get('hourly').last?.created).to.have.length(2)
  })

  it('make up once for what fell into the daemon’s absence', async () => {
    await schedules.set('hourly', { ...HOURLY, volumes: ['db'] })
    await schedules.close()
    const path = join(home.path, 'schedules.json')
    const text = await fs.readFile(path, 'utf8')
    const since = '"since": "2020-01-01T00:00:00.000Z"'
    await fs.writeFile(path, text.replace(/"since": "[^"]*"/, since))
    schedules = await open()
    while (schedules.get('hourly').last === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(volumes.snapshots.list('db')).to.have.length(1)
    expect(schedules.next(schedules.get('hourly'))).to.be.greaterThan(
      new Date(),
    )
  })

  it('are refused with what would be right', async () => {
    const wrong = [
      { ...HOURLY, cron: '61 * * * *' },
      { ...HOURLY, cron: 'hourly' },
      { ...HOURLY, keep: 'always' },
      { ...HOURLY, volumes: ['../up'] },
    ]
    for (const terms of wrong) {
      await expectRejection(schedules.set('bad', terms), InvalidArgumentError)
    }
    await expectRejection(schedules.run('absent'), NotFoundError)
    expect(schedules.list()).to.deep.equal([])
  })

  it('that cannot be read are told of, and not overwritten', async () => {
    await schedules.close()
    await fs.writeFile(join(home.path, 'schedules.json'), '{')
    await expectRejection(open(), Error, /schedules\.json" cannot be read/)
  })
})
