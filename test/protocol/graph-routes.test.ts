import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { graphRoutes } from '../../src/protocol/graph-routes.ts'
import { describeGraphSequences } from '../contracts/describe-graph-sequences.ts'
import { PluginFailure } from '../../src/conformance/dockerd-client.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { FakeDriver } from '../support/fake-driver.ts'
import { useServedPlugin } from '../support/serve.ts'

const MEBIBYTE = 1 << 20

describe('graphRoutes', () => {
  let driver: FakeDriver
  let settings: unknown[]
  const plugin = useServedPlugin(() => {
    driver = new FakeDriver()
    settings = []
    const init = async (given: unknown) => void settings.push(given)
    const routes = graphRoutes({ init, driver })
    return [{ name: 'GraphDriver', routes }]
  })
  const call = (method: string, fields = {}) =>
    plugin.docker.call(`GraphDriver.${method}`, fields)

  it('passes on what Init says, and takes it twice', async () => {
    const range = { container_id: 0, host_id: 100_000, size: 65_536 }
    await call('Init', {
      Home: '/var/lib/docker/stowage',
      Opts: ['stowage.driver=vfs'],
      UIDMaps: [range],
      GIDMaps: [range, range],
    })
    await call('Init', {
      Home: '/var/lib/docker/stowage',
      Opts: null,
      UIDMaps: null,
      GIDMaps: null,
    })
    const mapped = { containerId: 0, hostId: 100_000, size: 65_536 }
    expect(settings).to.deep.equal([
      {
        home: '/var/lib/docker/stowage',
        options: ['stowage.driver=vfs'],
        uidMaps: [mapped],
        gidMaps: [mapped, mapped],
      },
      {
        home: '/var/lib/docker/stowage',
        options: [],
        uidMaps: [],
        gidMaps: [],
      },
    ])
  })

  it('refuses an Init without a home, as a repeated one is', async () => {
    for (const body of ['', '{"Home":""}', '{"Home":"docker/stowage"}']) {
      const answered = await plugin.docker.post('GraphDriver.Init', body)
      expect(answered.status, body).to.equal(400)
    }
    expect(settings).to.deep.equal([])
  })

  it('never claims to reproduce tars', async () => {
    expect(await call('Capabilities')).to.deep.equal({
      Capabilities: { ReproducesExactDiffs: false },
    })
  })

  it('creates, shows, measures and removes layers', async () => {
    await call('Create', { ID: 'base' })
    await call('CreateReadWrite', {
      ID: 'child-init',
      Parent: 'base',
      MountLabel: 'system_u:object_r:container_file_t:s0',
      StorageOpt: { size: '7M' },
    })
    expect(driver.layer('child-init').parent).to.equal('base')
    expect(driver.layer('child-init').options).to.deep.equal({
      mountLabel: 'system_u:object_r:container_file_t:s0',
      storageOptions: { size: '7M' },
    })

    const { Dir } = await call('Get', { ID: 'child-init' })
    expect(Dir).to.equal('/fake/child-init')
    expect(driver.layer('child-init').holds).to.equal(1)
    expect(await call('Put', { ID: 'child-init' })).to.deep.equal({})
    expect(driver.layer('child-init').holds).to.equal(0)

    expect(await call('GetMetadata', { ID: 'base' })).to.deep.equal({
      Metadata: { Path: '/fake/base' },
    })
    expect(await call('Status')).to.deep.equal({ Status: [['Layers', '2']] })
    await call('Remove', { ID: 'child-init' })
    const exists = await call('Exists', { ID: 'child-init' })
    expect(exists).to.deep.equal({ Exists: false })
    await call('Cleanup')
  })

  it('acts on no empty or missing id, whatever the method', async () => {
    await call('Create', { ID: 'base' })
    await call('Get', { ID: 'base' })
    const methods =
      'Create CreateReadWrite Remove Get Put Exists GetMetadata Diff Changes DiffSize'
    for (const method of methods.split(' ')) {
      for (const body of ['', '{}', 'null', '{"ID":""}']) {
        const answered = await plugin.docker.post(`GraphDriver.${method}`, body)
        expect(answered.status, `${method} ${body}`).to.equal(400)
        expect(JSON.parse(answered.body).Err).to.equal('ID is missing')
      }
    }
    const upload = plugin.docker.applyDiff('', '', Buffer.alloc(0))
    await expectRejection(upload, PluginFailure, /id is missing/)
    expect([...driver.layers.keys()]).to.deep.equal(['base'])
    expect(driver.layer('base').holds).to.equal(1)
  })

  it('takes the ids that Docker makes and refuses those that are paths', async () => {
    const docker = ['f'.repeat(64), `${'0'.repeat(64)}-init`, 'nttjoz82ousaw8t']
    for (const id of docker) await call('Create', { ID: id })
    for (const id of ['.', '..', 'a/b', '../x', 'a\0', 'x'.repeat(129)]) {
      await expectRejection(call('Create', { ID: id }), PluginFailure, /ID /)
      const child = call('Create', { ID: 'child', Parent: id })
      await expectRejection(child, PluginFailure, /Parent /)
    }
    expect([...driver.layers.keys()]).to.deep.equal(docker)
  })

  it('never says 404 for a layer that is missing', async () => {
    for (const method of [
      'Get',
      'GetMetadata',
      'DiffSize',
      'Diff',
      'Changes',
    ]) {
      const path = `GraphDriver.${method}`
      const answered = await plugin.docker.post(path, { ID: 'absent' })
      expect(answered.status, method).to.equal(500)
      expect(JSON.parse(answered.body), method).to.deep.equal({
        Err: 'Layer "absent" does not exist',
      })
    }
  })

  describe('with a layer of 3 MiB', () => {
    const tar = Buffer.alloc(3 * MEBIBYTE, 'tar')
    beforeEach(async () => {
      await call('Create', { ID: 'base' })
      const applied = await plugin.docker.applyDiff('base', '', tar)
      expect(applied).to.deep.equal({ Size: tar.length })
    })

    it('gives back what was applied', async () => {
      const answered = await plugin.docker.diff({ ID: 'base' })
      expect(answered.headers['content-type']).to.equal('application/x-tar')
      expect((await buffer(answered)).equals(tar)).to.equal(true)
      expect(await call('DiffSize', { ID: 'base' })).to.deep.equal({
        Size: tar.length,
      })
    })

    it('tells thousands of changes', async () => {
      const { Changes } = await call('Changes', { ID: 'base' })
      expect(Changes).to.have.length(tar.length / 512)
      expect(Changes).to.deep.include({ Path: '/6143', Kind: 1 })
    })

    it('answers with an error what breaks before the first byte', async () => {
      driver.breakAfter = 0
      for (const method of ['Diff', 'Changes']) {
        const path = `GraphDriver.${method}`
        const answered = await plugin.docker.post(path, { ID: 'base' })
        expect(answered.status, method).to.equal(500)
        expect(answered.body).to.equal('{"Err":"Disk on fire"}')
      }
    })

    it('cuts the connection when it breaks midway', async () => {
      driver.breakAfter = 2.5 * MEBIBYTE
      for (const method of ['Diff', 'Changes']) {
        const path = `GraphDriver.${method}`
        const cut = plugin.docker.post(path, { ID: 'base' })
        await expectRejection(cut, Error, /aborted|hang up/)
      }
      expect(driver.openStreams).to.equal(0)
    })

    it('stops when its reader walks away', async () => {
      const answered = await plugin.docker.diff({ ID: 'base' })
      answered.on('error', () => undefined)
      expect(driver.openStreams).to.equal(1)
      answered.destroy()
      while (driver.openStreams > 0) await sleep(1)
    })

    it('applies a layer while it is read, without waiting for either', async () => {
      await call('Create', { ID: 'copy', Parent: 'base' })
      const diff = await plugin.docker.diff({ ID: 'base' })
      await plugin.docker.applyDiff('copy', 'base', diff)
      expect(driver.layer('copy').tar?.equals(tar)).to.equal(true)
    })

    it('refuses to apply to one layer twice', async () => {
      await expectRejection(
        plugin.docker.applyDiff('base', '', tar),
        PluginFailure,
        /^GraphDriver.ApplyDiff: Layer "base" has been applied to already$/,
      )
    })
  })

  it('takes a whole body of no bytes for an empty layer', async () => {
    await call('Create', { ID: 'base' })
    const applied = plugin.docker.applyDiff('base', '', Buffer.alloc(0))
    expect(await applied).to.deep.equal({ Size: 0 })
  })

  it('keeps nothing of an upload that is cut off', async () => {
    for (const sent of [0, MEBIBYTE]) {
      await call('Create', { ID: 'base' })
      const path = 'GraphDriver.ApplyDiff?id=base&parent='
      await plugin.docker.cutUpload(path, Buffer.alloc(sent))
      await sleep(20)
      expect(driver.layer('base').tar).to.equal(undefined)
      await call('Remove', { ID: 'base' })
    }
  })

  it('reads one id and one parent from the query, no more', async () => {
    await call('Create', { ID: 'base' })
    for (const query of [
      '',
      '?id=',
      '?id=base&id=base',
      '?id=a%2Fb',
      '?ID=base',
    ]) {
      const request = plugin.docker.upload(`GraphDriver.ApplyDiff${query}`)
      Readable.from([Buffer.alloc(1024)]).pipe(request)
      const [answered] = await once(request, 'response')
      expect(answered.statusCode, query).to.equal(400)
      answered.resume()
    }
    expect(driver.layer('base').tar).to.equal(undefined)
  })

  describeGraphSequences('a whole fake', () => plugin.docker)
})
