import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import * as net from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { CopyDriver } from '../examples/copy-driver/copy-driver.ts'
import { PlainStore } from '../examples/plain-store/plain-store.ts'
import { InUseError, InvalidArgumentError } from '../src/base/errors.ts'
import { SILENT } from '../src/base/log.ts'
import { needs } from '../src/conformance/capabilities.ts'
import { DockerdClient } from '../src/conformance/dockerd-client.ts'
import { expectRejection } from '../src/conformance/expect-rejection.ts'
import { forgeTar } from '../src/conformance/forge-tar.ts'
import { useTempDir } from '../src/conformance/temp-dir.ts'
import { wholeStore } from '../src/volume/whole-store.ts'
import { serve, type ServedPlugin, type ServeOptions } from '../src/serve.ts'

describe('serve', () => {
  let plugins: ServedPlugin[] = []
  afterEach(async () => {
    for (const plugin of plugins) await plugin.stop()
    plugins = []
  })
  const temp = useTempDir()
  const at = (name: string): string => join(temp.path, name)
  beforeEach(() => fs.mkdir(at('store')))

  async function start(options: Partial<ServeOptions>): Promise<DockerdClient> {
    const plugin = await serve({
      name: 'example',
      dataRoot: at('root'),
      socket: at('example.sock'),
      log: SILENT,
      signals: [],
      ...options,
    })
    plugins.push(plugin)
    return new DockerdClient(at('example.sock'))
  }

  it('makes a volume driver of a store', async () => {
    const docker = await start({ volumes: new PlainStore(at('store')) })
    expect(await docker.call('Plugin.Activate')).to.deep.equal({
      Implements: ['VolumeDriver'],
    })
    const Name = 'db'
    await docker.call('VolumeDriver.Create', { Name })
    await docker.call('VolumeDriver.Create', { Name })
    const mounted = await docker.call('VolumeDriver.Mount', { Name, ID: 'a' })
    expect(mounted).to.deep.equal({ Mountpoint: at('store/volumes/db') })
    docker.close()
  })

  it('remembers who holds what from one run to the next', async () => {
    let docker = await start({ volumes: new PlainStore(at('store')) })
    const Name = 'db'
    await docker.call('VolumeDriver.Create', { Name })
    await docker.call('VolumeDriver.Mount', { Name, ID: 'a' })
    docker.close()
    await plugins[0]?.stop()
    docker = await start({ volumes: new PlainStore(at('store')) })
    const { Volume } = await docker.call('VolumeDriver.Get', { Name })
    expect(Volume).to.have.nested.property('Status.holders', 1)
    docker.close()
  })

  describe('with a graph driver', () => {
    needs('root')

    it('adds what a ProtoDriver lacks: turns, repeated calls, layer tars', async () => {
      const docker = await start({
        graph: (directory, circumstances) =>
          new CopyDriver(directory, circumstances),
      })
      expect(await docker.call('Plugin.Activate')).to.deep.equal({
        Implements: ['GraphDriver'],
      })
      const init = { Home: at('home'), Opts: [] }
      await docker.call('GraphDriver.Init', init)
      await docker.call('GraphDriver.Create', { ID: 'a' })
      await docker.call('GraphDriver.Create', { ID: 'a' })
      const tar = forgeTar({ name: 'file', content: 'text' })
      const applied = await docker.applyDiff('a', '', tar)
      expect(applied).to.deep.equal({ Size: 4 })
      const diff = await buffer(await docker.diff({ ID: 'a' }))
      expect(diff.includes('text')).to.equal(true)
      docker.close()
    })

    it('refuses a Home whose layers another driver keeps', async () => {
      let docker = await start({
        graph: (directory, circumstances) =>
          new CopyDriver(directory, circumstances),
      })
      await docker.call('GraphDriver.Init', { Home: at('home') })
      docker.close()
      await plugins[0]?.stop()
      docker = await start({
        graph: (directory, circumstances) =>
          Object.assign(new CopyDriver(directory, circumstances), {
            name: 'else',
          }),
      })
      const init = docker.call('GraphDriver.Init', { Home: at('home') })
      await expectRejection(
        init,
        Error,
        /"else" cannot be used.*kept by "copy"/,
      )
      docker.close()
    })
  })

  it('counts calls, failures and volumes', async () => {
    const docker = await start({ volumes: new PlainStore(at('store')) })
    const [plugin] = plugins
    await plugin!.opened
    await docker.call('VolumeDriver.Create', { Name: 'db' })
    const unknown = docker.call('VolumeDriver.Mount', { Name: 'x', ID: 'a' })
    await expectRejection(unknown, Error)
    const lines = (await plugin!.metrics()).split('\n')
    expect(lines).to.include.members([
      'stowage_docker_request_seconds_count{call="VolumeDriver.Create"} 1',
      'stowage_docker_failures_total{call="VolumeDriver.Mount"} 1',
      'stowage_store_volumes{store="default",kind="plain"} 1',
    ])
    docker.close()
  })

  it('lets go of everything when somebody else has the port of its metrics', async () => {
    const other = net.createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const volumes = new PlainStore(at('store'))
    const refused = start({ volumes, metricsPort: port })
    await expectRejection(refused, InUseError, /Metrics.*somebody else/)
    other.close()
    await start({ volumes })
  })

  it('stops once, however often it is told to', async () => {
    await start({ volumes: new PlainStore(at('store')) })
    const [plugin] = plugins
    await Promise.all([plugin?.stop(), plugin?.stop()])
    expect(await fs.readdir(temp.path)).not.to.include('example.sock')
  })

  it('leaves a data root alone that another has', async () => {
    await start({ volumes: new PlainStore(at('store')) })
    const volumes = new PlainStore(at('store'))
    const second = start({ volumes, socket: at('other.sock') })
    await expectRejection(second, InUseError)
  })

  const refusals: Record<string, [Partial<ServeOptions>, RegExp]> = {
    'a name that Docker does not take': [{ name: '../x' }, /cannot be called/],
    'nothing to serve': [{}, /nothing to serve/],
    'stores of which none is the default': [
      {
        volumes: {
          name: 'other',
          kind: 'plain',
          open: async () => wholeStore(new PlainStore('/nowhere')),
        },
      },
      /must be called "default".*"other"/,
    ],
  }
  for (const [what, [options, message]] of Object.entries(refusals)) {
    it(`refuses ${what}`, async () => {
      await expectRejection(start(options), InvalidArgumentError, message)
    })
  }
})
