import { join } from 'node:path'
import { expect } from 'chai'
import { SILENT } from '../../src/base/log.ts'
import { GraphHost } from '../../src/graph/host.ts'
import { builtInDrivers } from '../../src/graph/built-in-drivers.ts'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { graphRoutes } from '../../src/protocol/graph-routes.ts'
import { volumeRoutes } from '../../src/protocol/volume-routes.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'
import { describeGraphSequences } from '../contracts/describe-graph-sequences.ts'
import { describeVolumeSequences } from '../contracts/describe-volume-sequences.ts'
import { type Capability, needs } from '../../src/conformance/capabilities.ts'
import { useServedPlugin } from '../support/serve.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const DRIVERS: Readonly<Record<string, readonly Capability[]>> = {
  vfs: ['root'],
  overlay: ['root', 'overlay'],
}

describe('Docker', () => {
  describe('with volumes', () => {
    needs('root')
    let volumes: VolumeLookupCache
    afterEach(() => volumes.close())
    const root = useTempDir()
    const plugin = useServedPlugin(async () => {
      const options = { dataRoot: root.path, log: SILENT }
      const stores = parseStoreSpecs('default=local:').map((spec) =>
        storeSource(spec, options),
      )
      volumes = await VolumeLookupCache.open({ ...options, stores })
      await volumes.opened()
      const routes = volumeRoutes(volumes, { scope: 'local' })
      return [{ name: 'VolumeDriver', routes }]
    })
    describeVolumeSequences('the local store', () => plugin.docker)
  })

  for (const [driver, capabilities] of Object.entries(DRIVERS)) {
    describe('with layers', () => {
      needs(...capabilities)
      let host: GraphHost
      afterEach(async () => {
        await host.driver.cleanup()
        await host.close()
        expect(await mountsBelow(root.path)).to.deep.equal([])
      })
      const root = useTempDir()
      const plugin = useServedPlugin(async () => {
        host = await GraphHost.open({
          dataRoot: root.path,
          source: builtInDrivers({ driver, log: SILENT }),
          log: SILENT,
        })
        return [{ name: 'GraphDriver', routes: graphRoutes(host) }]
      })
      beforeEach(async () => {
        await plugin.docker.call('GraphDriver.Init', {
          Home: join(root.path, 'home'),
          Opts: null,
          UIDMaps: null,
          GIDMaps: null,
        })
      })
      describeGraphSequences(`the ${driver} driver`, () => plugin.docker)
    })
  }
})
