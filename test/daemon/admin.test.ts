import { once } from 'node:events'
import { closeSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { listenOn } from '../../src/linux/unix-socket.ts'
import { type Answered, askAdmin, openAdmin } from '../support/admin.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'

describe('The administrator’s socket of a daemon', () => {
  const place = useDaemons()

  it('is for root alone, takes a dead one’s place, and goes at the end', async () => {
    await fs.mkdir(place.path, { recursive: true })
    closeSync(listenOn(`${place.dataRoot}.admin.sock`, 0o666))
    const daemon = await place.start()
    expect((await ask(daemon, 'GET /health')).status).to.equal(200)
    const { mode } = await fs.stat(daemon.adminSocketPath)
    expect(mode & 0o777).to.equal(0o600)
    await daemon.stop()
    expect(await fs.readdir(place.path)).to.not.include('root.admin.sock')
  })

  it('leaves alone one that somebody answers at, and Docker’s door as it was', async () => {
    const first = await place.start()
    await ask(first, 'GET /health')
    const second = place.spawn({
      settings: {
        STOWAGE_DATA_ROOT: join(place.path, 'other'),
        STOWAGE_SOCKET: join(place.path, 'other.sock'),
        STOWAGE_ADMIN_SOCKET: first.adminSocketPath,
      },
    })
    const { code, stderr } = await second.ended()
    expect(code).to.equal(1)
    expect(stderr).to.contain(`"${first.adminSocketPath}" is in use`)
    expect(await fs.readdir(place.path)).to.not.include('other.sock')
    expect((await ask(first, 'GET /health')).status).to.equal(200)
  })

  it('tells what Docker has changed from its first call on, and counts its calls', async () => {
    const daemon = await place.start()
    await daemon.docker.call('VolumeDriver.Create', { Name: 'db', Opts: {} })
    await daemon.docker.call('VolumeDriver.List')
    const { text: audit } = await ask(daemon, 'GET /audit')
    expect(JSON.parse(audit)).to.deep.include({
      operation: 'VolumeDriver.Create',
      subject: 'db',
      result: 'done',
      front: 'docker',
    })
    const { text } = await ask(daemon, 'GET /metrics')
    expect(text).to.contain(
      'stowage_docker_request_seconds_count{call="VolumeDriver.List"} 1\n',
    )
  })

  it('counts the volumes that are held, and those that cannot be used', async () => {
    const daemon = await place.start()
    for (const Name of ['held', 'idle']) {
      await daemon.docker.call('VolumeDriver.Create', { Name })
    }
    await daemon.docker.call('VolumeDriver.Mount', { Name: 'held', ID: 'one' })
    const { text } = await ask(daemon, 'GET /metrics')
    expect(text).to.contain('\nstowage_volumes_held 1\n')
    expect(text).to.contain('\nstowage_volumes_damaged 0\n')
  })

  it('changes what is logged, while it runs', async () => {
    const daemon = await place.start()
    await ask(daemon, 'PUT /log/level', { level: 'debug' })
    await daemon.docker.call('VolumeDriver.List')
    await daemon.logged('Request ended')
  })

  it('keeps stores that were added, and refuses a start that names them too', async () => {
    const first = await place.start()
    const spec = `second=local:${join(place.path, 'second')}`
    expect((await ask(first, 'POST /stores', { spec })).status).to.equal(201)
    await first.stop()
    const twice = place.spawn({
      settings: { STOWAGE_STORES: `default=local: ${spec}` },
    })
    const { code, stderr } = await twice.ended()
    expect(code).to.equal(1)
    expect(stderr).to.contain('"second" is in STOWAGE_STORES and was added too')
    const again = await place.start()
    const { body } = await ask(again, 'GET /stores')
    expect(body).to.have.nested.property('[1].origin', 'added')
  })

  it('lets an export come to its end when the daemon is told to stop', async () => {
    const daemon = await place.start()
    await ask(daemon, 'POST /volumes', { name: 'db' })
    const data = join(place.dataRoot, 'volumes/default/volumes/db/data')
    await fs.writeFile(join(data, 'big'), Buffer.alloc(8 * 1024 * 1024))
    const archive = await openAdmin(
      daemon.adminSocketPath,
      'GET /volumes/db/archive',
    )
    const stopped = daemon.stop()
    let bytes = 0
    archive.on('data', (chunk: Buffer) => (bytes += chunk.length))
    await once(archive, 'end')
    expect(bytes).to.be.greaterThan(8 * 1024 * 1024)
    expect((await stopped).code).to.equal(0)
  })
})

/** Asks a daemon once it serves: Docker is served before an administrator is. */
async function ask(
  daemon: DaemonProcess,
  operation: string,
  body?: unknown,
): Promise<Answered> {
  await daemon.logged('Serving')
  return askAdmin(daemon.adminSocketPath, operation, body)
}
