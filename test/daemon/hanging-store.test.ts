import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { useDaemons } from '../support/daemon-process.ts'
import {
  type ServedDirectory,
  serveDirectory,
} from '../support/served-directory.ts'

/** How often each is asked; how soon it answers is measured in `bench/`. */
const TIMES = 100

describe('A daemon with a store whose server does not answer', () => {
  needs('root', 'bindfs')
  let served: ServedDirectory
  afterEach(() => served.close())
  const daemons = useDaemons()
  beforeEach(async () => {
    served = await serveDirectory(daemons.path)
  })

  it('answers for all volumes, and mounts those of other stores', async function () {
    this.timeout(60_000)
    const stores = `default=local: nas=local:${served.path}/store`
    const settings = { STOWAGE_STORES: stores, STOWAGE_IMPLEMENTS: 'volume' }
    const daemon = await daemons.start({ settings })
    const { docker } = daemon
    const create = (Name: string, Opts = {}): Promise<unknown> =>
      docker.call('VolumeDriver.Create', { Name, Opts })
    await create('db')
    await create('far', { store: 'nas' })
    const elsewhere = join(served.path, 'elsewhere')
    await fs.mkdir(elsewhere)
    await create('adopted', { path: elsewhere })

    served.hang()
    // More of them than there are threads to get stuck.
    const stuck = ['far', 'adopted'].flatMap((Name) =>
      Array.from({ length: 8 }, (_, ID) =>
        docker
          .call('VolumeDriver.Mount', { Name, ID: `${Name}-${ID}` })
          .catch(() => undefined),
      ),
    )
    const list = await docker.call('VolumeDriver.List')
    expect(list.Volumes).to.have.length(3)
    for (let round = 0; round < TIMES; round++) {
      await docker.call('VolumeDriver.List')
      for (const Name of ['db', 'far', 'adopted']) {
        const got = await docker.call('VolumeDriver.Get', { Name })
        expect(got.Volume).to.include({ Name })
      }
      const call = { Name: 'db', ID: `holder-${round}` }
      await docker.call('VolumeDriver.Mount', call)
      await docker.call('VolumeDriver.Unmount', call)
    }
    await create('new')
    await docker.call('VolumeDriver.Remove', { Name: 'new' })

    expect(await served.isHanging()).to.equal(true)
    served.goOn()
    await Promise.all(stuck)
    await docker.call('VolumeDriver.Mount', { Name: 'far', ID: 'later' })
  })

  it('starts, and stops, and keeps the names that the store had', async function () {
    this.timeout(60_000)
    const stores = `default=local: nas=local:${served.path}/store`
    const settings = { STOWAGE_STORES: stores, STOWAGE_IMPLEMENTS: 'volume' }
    const first = await daemons.start({ settings })
    const far = { Name: 'far', Opts: { store: 'nas' } }
    await first.docker.call('VolumeDriver.Create', far)
    await first.stop()

    served.hang()
    const second = await daemons.start({ settings })
    const { Volumes } = await second.docker.call('VolumeDriver.List')
    expect(Volumes).to.have.length(1)
    await second.docker.call('VolumeDriver.Create', { Name: 'near' })
    const ending = await second.stop()
    expect(ending.code).to.equal(0)
  })
})
