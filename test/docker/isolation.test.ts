import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { PrivateHost } from '../support/private-host.ts'
import {
  type ServedDirectory,
  serveDirectory,
} from '../support/served-directory.ts'

/** A command of Docker's own takes so long to start and to end, in milliseconds. */
const COMMAND = 2000

describe('Docker, with a volume store whose server does not answer', () => {
  needs('root', 'docker', 'bindfs')
  let host: PrivateHost
  let served: ServedDirectory

  before(async function () {
    this.timeout(60_000)
    host = await PrivateHost.open()
    served = await serveDirectory(host.directory, host.entering)
    await host.startStowage({
      STOWAGE_STORES: `default=local: nas=local:${served.path}/store`,
      STOWAGE_IMPLEMENTS: 'volume',
    })
    await host.startDockerd()
    await host.docker('volume create -d stowage near')
    await host.docker('volume create -d stowage -o store=nas far')
    served.hang()
  })

  after(async function () {
    this.timeout(60_000)
    served?.goOn()
    await served?.close()
    await host?.close()
  })

  const timed = async (command: string): Promise<string> => {
    const before = performance.now()
    const said = await host.docker(command)
    expect(performance.now() - before, command).to.be.below(COMMAND)
    return said
  }

  it('lists containers and all volumes', async () => {
    await timed('ps --all')
    const names = (await timed('volume ls --quiet')).split('\n')
    expect(names).to.have.members(['near', 'far'])
    expect(await timed('volume inspect far')).to.include('"store": "nas"')
  })

  it('creates and removes volumes in other stores', async () => {
    await timed('volume create -d stowage other')
    await timed('volume rm other')
  })
})
