import { once } from 'node:events'
import * as http from 'node:http'
import * as net from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { readJson } from '../../src/protocol/json-body.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('readJson', () => {
  const directory = useTempDir()
  let server: http.Server
  let socket: net.Socket
  afterEach(() => {
    socket.destroy()
    server.close()
  })

  /** A request with these bytes after its head, as the server sees it. */
  async function receive(
    length: number,
    body: string | Buffer,
  ): Promise<http.IncomingMessage> {
    const path = join(directory.path, 'socket')
    server = http.createServer().listen(path)
    await once(server, 'listening')
    socket = net.connect(path)
    socket.write(
      `POST / HTTP/1.1\r\nHost: \r\nContent-Length: ${length}\r\n\r\n`,
    )
    socket.write(body)
    const [request] = await once(server, 'request')
    return request
  }

  it('reads any JSON, and nothing as undefined', async () => {
    for (const text of ['{"Name":"ü"}', 'null', '7', '[]', '']) {
      const request = await receive(Buffer.byteLength(text), text)
      const expected = text === '' ? undefined : JSON.parse(text)
      expect(await readJson(request), text).to.deep.equal(expected)
      socket.destroy()
      server.close()
      await once(server, 'close')
    }
  })

  it('refuses what is no JSON, and says where', async () => {
    const request = await receive(8, '{"Name":')
    await expectRejection(
      readJson(request),
      InvalidArgumentError,
      /^Cannot read the request: .*JSON/,
    )
  })

  it('reads what is large like what is small', async () => {
    const value = { Name: 'ü'.repeat(1 << 20), Opts: { list: [] } }
    const text = JSON.stringify(value)
    const request = await receive(Buffer.byteLength(text), text)
    expect(await readJson(request)).to.deep.equal(value)
  })

  it('refuses what is made of more than anybody needs, however deep', async () => {
    const options = Array.from({ length: 50_000 }, (_, at) => [`o${at}`, 'x'])
    for (const text of [
      JSON.stringify({ Opts: Object.fromEntries(options) }),
      '['.repeat(100_000) + ']'.repeat(100_000),
    ]) {
      const request = await receive(text.length, text)
      await expectRejection(
        readJson(request),
        InvalidArgumentError,
        /^Cannot read the request: it is made of too many values: at most 4000$/,
      )
      socket.destroy()
      server.close()
      await once(server, 'close')
    }
  })

  it('refuses what is too large, once it has read it to its end', async () => {
    const size = 5 << 20
    const request = await receive(size, Buffer.alloc(size))
    await expectRejection(readJson(request), InvalidArgumentError, /too large/)
    expect(request.complete).to.equal(true)
  })

  it('refuses what is cut off, while it is read and before', async () => {
    const request = await receive(100, '{"Name":')
    const reading = readJson(request)
    socket.destroy()
    await expectRejection(reading, InvalidArgumentError, /cut off/)
    await expectRejection(readJson(request), InvalidArgumentError, /cut off/)
  })
})
