import { once } from 'node:events'
import type { RequestListener, ServerResponse } from 'node:http'
import * as net from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { listenOn } from '../../src/linux/unix-socket.ts'
import { Server } from '../../src/protocol/server.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { busy, countTurns } from '../support/turns.ts'
import { until } from '../support/until.ts'

const EMPTY_POST = 'POST /Plugin.Activate HTTP/1.1\r\nContent-Length: 0\r\n\r\n'

describe('Server', () => {
  const directory = useTempDir()
  const path = () => join(directory.path, 'plugin.sock')
  let server: Server
  let clients: net.Socket[]

  beforeEach(() => {
    clients = []
  })
  afterEach(() => {
    for (const client of clients) client.destroy()
    server.close()
  })

  async function serve(listener: RequestListener): Promise<void> {
    server = new Server(listener)
    await server.listen(listenOn(path(), 0o600))
  }

  /** A connection of a client that says what it likes. */
  async function connect(): Promise<net.Socket> {
    const socket = net.connect(path())
    socket.on('error', () => undefined)
    clients.push(socket)
    await once(socket, 'connect')
    return socket
  }

  it('uses a connection again after it was idle for longer than Node would wait', async function () {
    this.timeout(20_000)
    await serve((_request, response) => response.end('done'))
    const client = await connect()
    client.write(EMPTY_POST)
    expect(await heard(client)).to.match(/^HTTP\/1\.1 200 /)
    await sleep(5500)
    client.write(EMPTY_POST)
    expect(await heard(client)).to.match(/^HTTP\/1\.1 200 /)
  })

  it('waits for a body that comes a byte at a time', async () => {
    await serve((request, response) => {
      request.pipe(response)
    })
    const client = await connect()
    client.write('POST /x HTTP/1.1\r\nContent-Length: 50\r\n\r\n')
    let text = ''
    client.on('data', (chunk) => (text += chunk))
    for (let i = 0; i < 50; i++) {
      client.write('x')
      await sleep(5)
    }
    expect(text.match(/x/g)).to.have.length(50)
  })

  it('answers requests that are sent in one go, in their order', async () => {
    let count = 0
    await serve((_request, response) => {
      const mine = ++count
      setTimeout(() => response.end(`answer ${mine};`), 20 - 5 * mine)
    })
    const client = await connect()
    client.write(EMPTY_POST.repeat(3))
    let text = ''
    while (!text.includes('answer 3;')) text += await heard(client)
    expect(text.match(/answer \d/g)).to.deep.equal([
      'answer 1',
      'answer 2',
      'answer 3',
    ])
  })

  it('goes round between those who call at once for the first time, each in his order', async () => {
    const heads = new Map<string, string[]>()
    let [inThisTurn, most] = [0, 0]
    await serve((request, response) => {
      const [, who = '', which = ''] = (request.url ?? '').split('/')
      heads.set(who, [...(heads.get(who) ?? []), which])
      most = Math.max(most, ++inThisTurn)
      busy()
      response.end('done')
    })
    const all = await Promise.all(Array.from({ length: 10 }, connect))
    await sleep(100)
    await countTurns(
      () => Promise.all(all.map(callThrice)),
      () => (inThisTurn = 0),
    )
    expect(most).to.be.below(9)
    for (const order of heads.values()) {
      expect(order).to.deep.equal(['a', 'b', 'c'])
    }
  })

  it('serves others while a thousand connections stand idle or half asked', async () => {
    await serve((_request, response) => response.end('done'))
    for (let i = 0; i < 1000; i++) {
      const client = await connect()
      if (i % 2 === 0) client.write(EMPTY_POST.slice(0, i % EMPTY_POST.length))
    }
    const client = await connect()
    client.write(EMPTY_POST)
    expect(await heard(client)).to.match(/^HTTP\/1\.1 200 /)
  })

  it('shrugs off what is not HTTP', async () => {
    await serve((_request, response) => response.end('done'))
    const nonsense = [
      'hello\r\n\r\n',
      '\0\0\0\0',
      `POST /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
      'POST /x HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
      'POST /x HTTP/1.1\r\nContent-Length: -5\r\n\r\n',
      'CONNECT example.org:80 HTTP/1.1\r\n\r\n',
    ]
    for (const bytes of nonsense) {
      const client = await connect()
      client.resume()
      client.write(bytes)
      // It may be reset, if it was refused before all of it was read.
      await until(() => client.closed)
    }
    const client = await connect()
    client.write(EMPTY_POST)
    expect(await heard(client)).to.match(/^HTTP\/1\.1 200 /)
  })

  describe('when it is drained', () => {
    it('closes connections that are idle', async () => {
      await serve((_request, response) => response.end('done'))
      const used = await connect()
      used.write(EMPTY_POST)
      await heard(used)
      const fresh = await connect()
      const halfAsked = await connect()
      halfAsked.write(EMPTY_POST.slice(0, 20))
      const ends = [used, fresh, halfAsked].map((client) => once(client, 'end'))
      expect(await server.drain(10_000)).to.equal(0)
      await Promise.all(ends)
    })

    it('finishes what it was asked, and tells the client to ask no more', async () => {
      const asked: ServerResponse[] = []
      await serve((_request, response) => asked.push(response))
      const client = await connect()
      client.write(EMPTY_POST)
      await sleep(20)
      const drained = server.drain(10_000)
      await sleep(100)
      const text = heard(client)
      asked[0]!.end('done')
      expect(await text).to.match(/\r\nConnection: close\r\n.*done/is)
      expect(await drained).to.equal(0)
    })

    it('answers who connected before, though it had not looked yet', async () => {
      await serve((_request, response) => response.end('done'))
      const client = net.connect(path())
      clients.push(client)
      const drained = server.drain(10_000)
      client.write(EMPTY_POST)
      expect(await heard(client)).to.match(/^HTTP\/1\.1 200 .*done/s)
      await drained
    })

    it('answers every call that it let a client send, up to the last moment', async () => {
      await serve((_request, response) => response.end('done'))
      const callers = await Promise.all(Array.from({ length: 20 }, connect))
      const calls = callers.map(callUntilRefused)
      await sleep(20)
      expect(await server.drain(10_000)).to.equal(0)
      for (const { sent, answered } of await Promise.all(calls)) {
        expect(sent).to.be.above(0)
        expect(answered).to.equal(sent)
      }
    })

    it('sends a long answer to its end, however slowly it is read', async () => {
      const size = 8 << 20
      await serve((_request, response) => response.end(Buffer.alloc(size)))
      const client = await connect()
      client.write(EMPTY_POST)
      await once(client, 'readable')
      const drained = server.drain(10_000)
      let bytes = 0
      for await (const chunk of client) {
        bytes += chunk.length
        if (bytes < size / 8) await sleep(2)
      }
      expect(bytes).to.be.above(size)
      expect(await drained).to.equal(0)
    })

    it('takes nobody new', async () => {
      await serve((_request, response) => response.end('done'))
      await server.drain(10_000)
      const client = net.connect(path())
      clients.push(client)
      const [error] = await once(client, 'error')
      expect(error).to.have.property('code', 'ECONNREFUSED')
    })

    it('cuts what takes too long, and says how much that was', async () => {
      await serve(() => undefined)
      for (let i = 0; i < 2; i++) (await connect()).write(EMPTY_POST)
      await sleep(20)
      expect(await server.drain(50)).to.equal(2)
    })
  })
})

/** Calls again and again as a client of HTTP does, and counts the calls that went out. */
async function callUntilRefused(
  socket: net.Socket,
): Promise<{ sent: number; answered: number }> {
  const answers: string[] = []
  socket.on('data', (chunk) => answers.push(String(chunk)))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  let sent = 0
  while (!answers.at(-1)?.includes('Connection: close')) {
    const isTaken = await new Promise<boolean>((told) =>
      socket.write(EMPTY_POST, (error) => told(!error)),
    )
    if (!isTaken) break
    sent++
    await Promise.race([
      new Promise((read) => socket.once('data', read)),
      closed,
    ])
    if (socket.destroyed) break
    // Idle in between, for the end to come there too.
    await sleep(sent % 3)
  }
  await closed
  return { sent, answered: answers.length }
}

/** Sends three calls in one go, and waits for their answers. */
async function callThrice(client: net.Socket, who: number): Promise<void> {
  const calls = ['a', 'b', 'c'].map(
    (which) => `GET /${who}/${which} HTTP/1.1\r\n\r\n`,
  )
  client.write(calls.join(''))
  let answers = ''
  while (answers.split('done').length <= 3) answers += await heard(client)
}

/** What comes next on a connection. */
async function heard(socket: net.Socket): Promise<string> {
  const [chunk] = await once(socket, 'data')
  return String(chunk)
}
