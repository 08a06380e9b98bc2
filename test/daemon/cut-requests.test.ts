import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import * as net from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'

/** What a request may be cut after: any of its bytes but the last. */
const CUTS = 20

describe('A daemon whose requests are cut off', () => {
  needs('root')
  const place = useDaemons()
  let daemon: DaemonProcess
  beforeEach(async () => {
    daemon = await place.start()
  })

  it('creates nothing of which it was told half', async () => {
    await cutEverywhere('VolumeDriver.Create', { Name: 'half', Opts: null })
    const { Volumes } = await daemon.docker.call('VolumeDriver.List', {})
    expect(Volumes).to.deep.equal([])
    const store = join(place.dataRoot, 'volumes/default/volumes')
    expect(await fs.readdir(store)).to.deep.equal([])
  })

  it('removes nothing of which it was told half', async () => {
    const Name = 'vol1'
    await daemon.docker.call('VolumeDriver.Create', { Name, Opts: null })
    await cutEverywhere('VolumeDriver.Remove', { Name })
    const { Volume } = await daemon.docker.call('VolumeDriver.Get', { Name })
    expect(Volume).to.have.property('Name', Name)
  })

  it('acts on no empty body, which is what Docker repeats a lost call with', async () => {
    const Name = 'vol1'
    await daemon.docker.call('VolumeDriver.Create', { Name, Opts: null })
    const home = join(place.path, 'home')
    await daemon.docker.call('GraphDriver.Init', { Home: home })
    await daemon.docker.call('GraphDriver.Create', { ID: 'base' })
    for (const method of [
      'VolumeDriver.Remove',
      'VolumeDriver.Unmount',
      'VolumeDriver.Mount',
      'VolumeDriver.Create',
      'GraphDriver.Init',
      'GraphDriver.Remove',
      'GraphDriver.Put',
      'GraphDriver.Create',
    ]) {
      const { status, body } = await daemon.docker.post(method, '')
      expect(status, method).to.equal(400)
      expect(JSON.parse(body).Err, method).to.be.a('string').not.empty
    }
    const { Volume } = await daemon.docker.call('VolumeDriver.Get', { Name })
    expect(Volume).to.have.property('Name', Name)
    const base = await daemon.docker.call('GraphDriver.Exists', { ID: 'base' })
    expect(base).to.deep.equal({ Exists: true })
  })

  it('cuts the call that asks for a volume without saying which', async () => {
    for (const body of ['', 'null', '{"Name":', '{"Name":7}', '[]']) {
      const answer = daemon.docker.post('VolumeDriver.Get', body)
      const code = await answer.catch((error: unknown) => error)
      expect(code, body).to.have.property('code', 'ECONNRESET')
    }
  })

  /** Sends a request again and again, and leaves at another byte each time. */
  async function cutEverywhere(method: string, fields: object): Promise<void> {
    const body = JSON.stringify(fields)
    const head = `POST /${method} HTTP/1.1\r\nHost: \r\nContent-Length: ${body.length}\r\n\r\n`
    const request = head + body
    for (let cut = 1; cut <= CUTS; cut++) {
      const socket = net.connect(place.socketPath)
      await once(socket, 'connect')
      const end = Math.floor((cut / CUTS) * (request.length - 1))
      socket.end(request.slice(0, end))
      await once(socket.resume(), 'close')
    }
  }
})
