import * as fs from 'node:fs/promises'
import { expect } from 'chai'
import { SILENT } from '../../src/base/log.ts'
import { volumeRoutes } from '../../src/protocol/volume-routes.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'
import { useServedPlugin } from '../support/serve.ts'
import { useTempDir } from '../support/temp-dir.ts'

describe('volumeRoutes', () => {
  const root = useTempDir()
  let volumes: VolumeLookupCache

  beforeEach(async () => {
    const surroundings = { dataRoot: root.path, log: SILENT }
    const stores = parseStoreSpecs('default=local:').map((spec) =>
      storeSource(spec, surroundings),
    )
    volumes = await VolumeLookupCache.open({ ...surroundings, stores })
    await volumes.opened()
  })
  afterEach(() => volumes.close())

  const plugin = useServedPlugin(() => [
    { name: 'VolumeDriver', routes: volumeRoutes(volumes, { scope: 'local' }) },
  ])

  it('shows a volume from its creation to its removal', async () => {
    const { docker } = plugin
    await docker.call('VolumeDriver.Create', { Name: 'db', Opts: null })
    const { Mountpoint: path } = await docker.call('VolumeDriver.Mount', {
      Name: 'db',
      ID: 'one',
    })
    expect(await fs.readdir(String(path))).to.deep.equal([])
    await docker.call('VolumeDriver.Unmount', { Name: 'db', ID: 'one' })
    await docker.call('VolumeDriver.Remove', { Name: 'db' })
    expect(await docker.call('VolumeDriver.Get', { Name: 'db' })).to.deep.equal(
      { Volume: null },
    )
  })
})
