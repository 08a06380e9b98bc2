import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { importBusybox } from '../support/images.ts'
import { PrivateHost } from '../support/private-host.ts'
import {
  type ServedDirectory,
  serveDirectory,
} from '../support/served-directory.ts'
import { until } from '../support/until.ts'

/**
 * Whoever waited for the server would wait for ever: that answers come while it is
 * stopped is the promise. How soon they come is measured in `bench/isolation.ts`.
 */
describe('Docker, with a volume store whose server does not answer', function () {
  needs('root', 'docker', 'busybox', 'bindfs')
  this.timeout(120_000)
  let host: PrivateHost
  let served: ServedDirectory
  let refused: Promise<string>

  before(async () => {
    host = await PrivateHost.open()
    served = await serveDirectory(host.directory, host.entering)
    await host.startStowage({
      STOWAGE_STORES: `default=local: nas=local:${served.path}/store`,
      STOWAGE_IMPLEMENTS: 'volume',
    })
    await host.startDockerd()
    await importBusybox(host)
    await host.docker('volume create -d stowage near')
    await host.docker('volume create -d stowage -o store=nas far')
    served.hang()
    refused = refusal(runOn('far'))
  })

  after(async () => {
    await served?.close()
    await host?.close()
  })

  const runOn = (volume: string): Promise<string> =>
    host.docker(`run --rm --net none --volume ${volume}:/data bb echo here`)

  afterEach(async function () {
    const isLast = this.currentTest?.title === LAST
    expect(await served.isHanging(), 'it hangs').to.equal(!isLast)
  })

  it('lists containers and all volumes', async () => {
    await host.docker('ps --all')
    const names = (await host.docker('volume ls --quiet')).split('\n')
    expect(names).to.have.members(['near', 'far'])
    expect(await host.docker('volume inspect far')).to.include('"store": "nas"')
  })

  it('creates, mounts and removes volumes in other stores', async () => {
    expect(await runOn('near')).to.equal('here')
    await host.docker('volume create -d stowage other')
    await host.docker('volume rm other')
  })

  it('tells whoever runs a container on one of its own that it is out of reach', async () => {
    expect(await refused).to.match(
      /ounting volume "far" (did not finish within|was not begun)/,
    )
  })

  const LAST = 'runs it once the server goes on'
  it(LAST, async () => {
    served.goOn()
    await until(async () => {
      const said = await runOn('far').catch(String)
      return said === 'here'
    })
  })
})

async function refusal(command: Promise<string>): Promise<string> {
  try {
    return `It said: ${await command}`
  } catch (error) {
    return String(error)
  }
}
