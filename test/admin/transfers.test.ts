import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import * as http from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { UnavailableError } from '../../src/base/errors.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { ownHolder } from '../../src/volume/own-holder.ts'
import { openAdmin, useAdmin } from '../support/admin.ts'

describe('Volumes in and out through the API', () => {
  needs('root')
  const admin = useAdmin()

  const exported = async (query = ''): Promise<Buffer> => {
    const response = await openAdmin(
      admin.socketPath,
      `GET /volumes/db/archive${query}`,
    )
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(Buffer.from(chunk))
    return Buffer.concat(chunks)
  }

  const dataOf = (name: string): string => admin.volumes.get(name).mountpoint

  beforeEach(async () => {
    await admin.volumes.create('db', {})
    const data = dataOf('db')
    await fs.writeFile(join(data, 'kept'), 'text', { mode: 0o640 })
    await fs.link(join(data, 'kept'), join(data, 'twin'))
    await fs.mkdir(join(data, 'cache'))
    await fs.writeFile(join(data, 'cache/big'), Buffer.alloc(300_000, 'x'))
  })

  for (const compression of ['none', 'gzip', 'zstd']) {
    it(`come back the same, compressed by ${compression}`, async () => {
      const tar = await exported(`?compression=${compression}`)
      const { status, body } = await admin.ask('PUT /volumes/new/archive', tar)
      expect(status).to.equal(200)
      expect(body).to.deep.include({ entries: 5, bytes: 300_004 })
      const { mode, nlink } = await fs.stat(join(dataOf('new'), 'kept'))
      expect([mode & 0o777, nlink]).to.deep.equal([0o640, 2])
      execFileSync('diff', ['-r', dataOf('db'), dataOf('new')])
    })
  }

  it('go in part where only a part is wanted', async () => {
    const tar = await exported('?exclude=cache')
    await admin.ask('PUT /volumes/new/archive?option=label.a%3D1', tar)
    expect(await fs.readdir(dataOf('new'))).to.have.members(['kept', 'twin'])
    expect(admin.volumes.get('new').options.labels).to.deep.equal({ a: '1' })
  })

  it('are not left half made by an archive that is damaged', async () => {
    const tar = await exported('?compression=gzip')
    const half = tar.subarray(0, tar.length / 2)
    const { status } = await admin.ask('PUT /volumes/new/archive', half)
    expect(status).to.equal(400)
    expect((await admin.ask('GET /volumes/new')).status).to.equal(404)
  })

  it('are not made of nothing, which is what a program leaves that fails', async () => {
    const { status, text } = await admin.ask(
      'PUT /volumes/new/archive',
      Buffer.alloc(0),
    )
    expect(status).to.equal(400)
    expect(text).to.include('archive is empty')
    expect((await admin.ask('GET /volumes/new')).status).to.equal(404)
  })

  it('are not left half made by a sender who goes away', async () => {
    const request = http.request({
      socketPath: admin.socketPath,
      method: 'PUT',
      path: '/volumes/new/archive',
    })
    request.on('error', () => undefined)
    request.write((await exported()).subarray(0, 100_000))
    while (admin.volumes.list().length < 2) await sleep(5)
    request.destroy()
    while (admin.volumes.list().length > 1) await sleep(5)
    for (const isRunning = /"running"/; ; await sleep(5)) {
      if (!isRunning.test((await admin.ask('GET /jobs')).text)) break
    }
  })

  it('are not left half made by a process that dies', async () => {
    await admin.volumes.begin('half', { protect: '' }, 'import')
    await admin.volumes.mount('half', ownHolder())
    await admin.restart()
    await admin.volumes.opened()
    const names = admin.volumes.list().map(({ name }) => name)
    expect(names).to.deep.equal(['db'])
    const { body: stores } = await admin.ask('GET /stores')
    expect(stores)
      .to.have.nested.property('[0].repairs')
      .deep.equal([
        { volume: 'half', repair: 'it is gone: its import was cut short' },
      ])
    await admin.volumes.create('half', {})
    expect(admin.volumes.holders('half').size).to.equal(0)
    expect(await fs.readdir(dataOf('half'))).to.deep.equal([])
  })

  it('are nobody else’s before they are whole', async () => {
    await admin.volumes.begin('half', {}, 'import')
    await expectRejection(
      admin.volumes.mount('half', 'somebody'),
      UnavailableError,
      /its import is under way/,
    )
    await admin.volumes.finish('half')
    expect(admin.volumes.get('half').options.typed).to.deep.equal({})
    await admin.volumes.mount('half', 'somebody')
    await admin.volumes.unmount('half', 'somebody')
  })

  it('take the name of no volume that is there', async () => {
    const tar = await exported()
    const { status } = await admin.ask('PUT /volumes/db/archive', tar)
    expect(status).to.equal(409)
    expect(await fs.readdir(dataOf('db'))).to.have.length(3)
  })

  it('go over one that is there only if that is asked for', async () => {
    const tar = await exported('?include=kept')
    await fs.rm(join(dataOf('db'), 'kept'))
    await admin.ask('PUT /volumes/db/archive?into=true', tar)
    expect(await fs.readFile(join(dataOf('db'), 'kept'), 'utf8')).to.equal(
      'text',
    )
  })

  it('are jobs that can be cancelled, and let go of the volume', async () => {
    // Far more than all that holds bytes on the way to somebody who reads none.
    const big = Buffer.alloc(16 * 1024 * 1024, 'x')
    await fs.writeFile(join(dataOf('db'), 'cache/big'), big)
    const response = await openAdmin(
      admin.socketPath,
      'GET /volumes/db/archive',
    )
    const job = String(response.headers['stowage-job'])
    const cut = once(response, 'error')
    const { body } = await admin.ask(`DELETE /jobs/${job}`)
    expect(body).to.include({ kind: 'export', state: 'cancelled' })
    response.resume()
    await cut
    while (admin.volumes.holders('db').size > 0) await sleep(5)
  })
})
