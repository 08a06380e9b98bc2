import { once } from 'node:events'
import { closeSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { listenOn } from '../../src/linux/unix-socket.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'

const MEBIBYTE = 1 << 20

describe('A daemon that is told to stop', () => {
  needs('root')
  const place = useDaemons()

  it('finishes an upload, takes no new connection, and ends', async () => {
    const daemon = await place.start()
    await initialise(daemon)
    const upload = await beginUpload(daemon)
    daemon.kill('SIGTERM')
    await gone(place.socketPath)
    expect(daemon.log.at(-1)).to.include({ message: 'Stopping' })

    upload.write(Buffer.alloc(MEBIBYTE))
    upload.end()
    const [response] = await once(upload, 'response')
    response.resume()
    expect(response.statusCode).to.equal(200)
    expect(response.headers.connection).to.equal('close')
    expect(await daemon.ended()).to.include({ code: 0 })
  })

  it('sends a tar to its end, however slowly it is read', async () => {
    const daemon = await place.start()
    await initialise(daemon)
    await daemon.docker.call('GraphDriver.Create', { ID: 'big' })
    const { Dir } = await daemon.docker.call('GraphDriver.Get', { ID: 'big' })
    await fs.writeFile(join(String(Dir), 'file'), Buffer.alloc(8 * MEBIBYTE))
    await daemon.docker.call('GraphDriver.Put', { ID: 'big' })

    const tar = await daemon.docker.diff({ ID: 'big' })
    daemon.kill('SIGTERM')
    await gone(place.socketPath)
    let bytes = 0
    for await (const chunk of tar) {
      bytes += chunk.length
      if (bytes < 2 * MEBIBYTE) await sleep(1)
    }
    expect(bytes).to.be.above(8 * MEBIBYTE)
    expect(await daemon.ended()).to.include({ code: 0 })
  })

  it('does not wait for connections that are idle', async function () {
    // Half of what is granted to calls in progress.
    this.timeout(30_000)
    const daemon = await place.start()
    await daemon.docker.call('VolumeDriver.List', {})
    daemon.kill('SIGTERM')
    expect(await daemon.ended()).to.include({ code: 0 })
  })

  it('leaves mounted what is mounted', async () => {
    const first = await place.start()
    const Name = 'vol1'
    await first.docker.call('VolumeDriver.Create', { Name, Opts: {} })
    const held = { Name, ID: 'a' }
    const mounted = await first.docker.call('VolumeDriver.Mount', held)
    await first.stop()

    const second = await place.start()
    const other = { Name, ID: 'b' }
    const again = await second.docker.call('VolumeDriver.Mount', other)
    expect(again).to.deep.equal(mounted)
    const { Volume } = await second.docker.call('VolumeDriver.Get', { Name })
    expect(Volume).to.have.nested.property('Status.holders', 2)
  })

  describe('on a socket that systemd holds', () => {
    let descriptor: number
    beforeEach(async () => {
      await fs.mkdir(join(place.path, 'run'))
      descriptor = listenOn(place.socketPath, 0o660)
    })
    afterEach(() => closeSync(descriptor))

    it('listens there, and never takes it away', async () => {
      const daemon = await place.start({ descriptor })
      await daemon.docker.call('VolumeDriver.List', {})
      expect(await daemon.stop()).to.include({ code: 0 })
      await fs.stat(place.socketPath)
    })

    it('leaves new calls to the next, which answers them', async () => {
      const first = await place.start({ descriptor })
      await initialise(first)
      const upload = await beginUpload(first)
      first.kill('SIGTERM')
      await first.logged('Stopping')
      await sleep(200)

      const waiting = first.docker.call('VolumeDriver.List', {})
      upload.end()
      const [response] = await once(upload, 'response')
      response.resume()
      expect(await first.ended()).to.include({ code: 0 })

      const second = place.spawn({ descriptor })
      expect(await waiting).to.deep.equal({ Volumes: [] })
      await second.ready()
    })
  })

  async function initialise(daemon: DaemonProcess): Promise<void> {
    await daemon.docker.call('GraphDriver.Init', {
      Home: join(place.path, 'home'),
      Opts: ['stowage.driver=vfs'],
    })
  }
})

/** An upload that the daemon has begun to read. */
async function beginUpload(daemon: DaemonProcess) {
  await daemon.docker.call('GraphDriver.Create', { ID: 'base' })
  const upload = daemon.docker.upload('GraphDriver.ApplyDiff?id=base&parent=')
  await new Promise((sent) => upload.write(Buffer.alloc(MEBIBYTE), sent))
  return upload
}

async function gone(path: string): Promise<void> {
  while ((await fs.stat(path).catch(() => undefined)) !== undefined) {
    await sleep(5)
  }
}
