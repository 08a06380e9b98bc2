import * as net from 'node:net'
import { EventEmitter, once } from 'node:events'
import { expect } from 'chai'
import { InvalidArgumentError, NotFoundError } from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { currentRequestId } from '../../src/base/request-id.ts'
import type { PluginInterface } from '../../src/protocol/app.ts'
import { answer, answerOrHangUp, type Methods } from '../../src/protocol/rpc.ts'
import { useServedPlugin } from '../support/serve.ts'
import { until } from '../support/until.ts'

describe('createApp', () => {
  const logged: string[] = []
  const note = (message: string): void => {
    logged.push(`${message} ${currentRequestId()}`)
  }
  const plugin = useServedPlugin(() => [echo(), { ...empty('GraphDriver') }], {
    ...SILENT,
    error: note,
    debug: note,
  })

  it('names its interfaces when activated without a body', async () => {
    const answered = await plugin.docker.post('Plugin.Activate')
    expect(answered.status).to.equal(200)
    expect(JSON.parse(answered.body)).to.deep.equal({
      Implements: ['VolumeDriver', 'GraphDriver'],
    })
  })

  it('answers a client that sends no Host header', async () => {
    const answered = await raw(
      plugin.socketPath,
      'POST /Plugin.Activate HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    )
    expect(answered).to.match(/^HTTP\/1\.1 200 /)
  })

  it('reads a body that has no Content-Type', async () => {
    expect(
      await plugin.docker.call('VolumeDriver.Echo', { text: 'hello' }),
    ).to.deep.equal({
      text: 'hello',
    })
  })

  it('takes an empty body, null and {} for no fields at all', async () => {
    for (const body of ['', 'null\n', '{}\n']) {
      const answered = await plugin.docker.post('VolumeDriver.Echo', body)
      expect(answered.status, body).to.equal(200)
      expect(JSON.parse(answered.body), body).to.deep.equal({ text: '' })
    }
  })

  it('answers {} for want of a result', async () => {
    const answered = await plugin.docker.post('VolumeDriver.Nothing')
    expect(answered.status).to.equal(200)
    expect(answered.body).to.equal('{}')
  })

  it('refuses bodies that are not JSON, or not objects, in JSON', async () => {
    for (const body of ['{"text":', 'hello', '[]', '"text"', '7', 'true']) {
      const answered = await plugin.docker.post('VolumeDriver.Echo', body)
      expect(answered.status, body).to.equal(400)
      expect(JSON.parse(answered.body).Err, body).to.be.a('string').not.empty
    }
  })

  it('accepts 2 MiB of options and refuses 20 MiB in JSON', async () => {
    const big = await plugin.docker.call('VolumeDriver.Echo', {
      text: 'x'.repeat(2 << 20),
    })
    expect(big.text).to.have.length(2 << 20)

    const huge = await plugin.docker.post('VolumeDriver.Echo', {
      text: 'x'.repeat(20 << 20),
    })
    expect(huge.status).to.equal(400)
    expect(JSON.parse(huge.body).Err).to.match(/too large/)
  })

  it('says 404 in JSON for a method it does not know, and only then', async () => {
    for (const path of [
      'No.Such',
      'volumedriver.Echo',
      'VolumeDriver.Echo/',
      'VolumeDriver.',
      '',
    ]) {
      const answered = await plugin.docker.post(path)
      expect(answered.status, path).to.equal(404)
      expect(JSON.parse(answered.body).Err, path).to.match(/is not known/)
    }
    const missing = await plugin.docker.post('VolumeDriver.Missing')
    expect(missing.status).to.equal(500)
    expect(JSON.parse(missing.body)).to.deep.equal({
      Err: 'Layer "ab12" does not exist',
    })
  })

  it('says 405 in JSON to anything but POST', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answered = await raw(
        plugin.socketPath,
        `${method} /VolumeDriver.Echo HTTP/1.1\r\nConnection: close\r\n\r\n`,
      )
      expect(answered).to.match(/^HTTP\/1\.1 405 /)
      expect(answered).to.match(/\{"Err":"Method .* use POST"\}$/)
    }
  })

  it('sends none of what Docker has no use for', async () => {
    const { headers } = await plugin.docker.post('VolumeDriver.Echo')
    expect(headers).not.to.have.any.keys('etag', 'x-powered-by')
  })

  it('tells a bad argument from trouble of its own', async () => {
    expect((await plugin.docker.post('VolumeDriver.Refuse')).status).to.equal(
      400,
    )
    const broken = await plugin.docker.post('VolumeDriver.Break')
    expect(broken.status).to.equal(500)
    expect(JSON.parse(broken.body)).to.deep.equal({ Err: 'Disk on fire' })
  })

  it('cuts the connection where any answer would be taken for the truth', async () => {
    for (const body of ['', 'not JSON', '[]', '{"text":"x"}']) {
      const error = await plugin.docker
        .post('VolumeDriver.Fragile', body)
        .catch(codeOf)
      expect(error, body).to.equal('ECONNRESET')
    }
  })

  it('logs a failure, and the end of its request, under one id', async () => {
    logged.length = 0
    await plugin.docker.post('VolumeDriver.Break')
    await until(() => logged.length === 2)
    const [failed, ended] = logged
    expect(failed).to.match(/^Request failed [0-9a-f]{8}$/)
    expect(ended).to.equal(failed?.replace('failed', 'ended'))
  })

  it('answers two hundred calls while a slow one runs', async () => {
    let isSlowDone = false
    const slow = plugin.docker.call('VolumeDriver.Slow').finally(() => {
      isSlowDone = true
    })
    const quick = Array.from({ length: 200 }, (_, i) =>
      plugin.docker.call('VolumeDriver.Echo', { text: `${i}` }),
    )
    expect(await Promise.all(quick)).to.have.length(200)
    expect(isSlowDone).to.equal(false)
    await plugin.docker.call('VolumeDriver.Release')
    await slow
  })
})

/** An interface of methods that each do one thing. */
function echo(): PluginInterface {
  const routes: Methods = new Map()
  answer(routes, 'VolumeDriver.Echo', async (request) => ({
    text: request.string('text'),
  }))
  answer(routes, 'VolumeDriver.Nothing', async () => undefined)
  answer(routes, 'VolumeDriver.Missing', async () => {
    throw new NotFoundError('Layer "ab12" does not exist')
  })
  answer(routes, 'VolumeDriver.Refuse', async () => {
    throw new InvalidArgumentError('No')
  })
  answer(routes, 'VolumeDriver.Break', async () => {
    throw new Error('Disk on fire')
  })
  const gate = new EventEmitter()
  answer(routes, 'VolumeDriver.Slow', async () => {
    await once(gate, 'open')
  })
  answer(routes, 'VolumeDriver.Release', async () => {
    gate.emit('open')
  })
  answerOrHangUp(routes, 'VolumeDriver.Fragile', async (request) => {
    request.name('Name')
  })
  return { name: 'VolumeDriver', routes }
}

function empty(name: PluginInterface['name']): PluginInterface {
  return { name, routes: new Map() }
}

/** What a server says to these very bytes before it closes the connection. */
async function raw(socketPath: string, bytes: string): Promise<string> {
  const socket = net.connect(socketPath)
  let answered = ''
  socket.on('data', (chunk) => (answered += chunk.toString()))
  socket.write(bytes)
  await once(socket, 'close')
  return answered
}

function codeOf(error: NodeJS.ErrnoException): string | undefined {
  return error.code
}
