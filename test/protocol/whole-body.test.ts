import { once } from 'node:events'
import * as http from 'node:http'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { withWholeBody } from '../../src/protocol/whole-body.ts'
import { DockerdClient } from '../../src/conformance/dockerd-client.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const MEBIBYTE = 1 << 20

describe('withWholeBody', () => {
  const directory = useTempDir()
  let server: http.Server
  let docker: DockerdClient
  let outcome: Promise<unknown>

  /** Serves one upload to `use`. */
  async function receive(use: (body: Readable) => Promise<unknown>) {
    server = http.createServer((request, response) => {
      outcome = withWholeBody(request, use)
      outcome.then(
        (result) => response.end(JSON.stringify({ result })),
        (error) => response.writeHead(500).end(`{"Err":"${error.message}"}`),
      )
    })
    const path = join(directory.path, 'plugin.sock')
    server.listen(path)
    await once(server, 'listening')
    docker = new DockerdClient(path)
  }
  afterEach(() => {
    docker.close()
    server.closeAllConnections()
    server.close()
  })

  it('hands over every byte', async () => {
    await receive(async (body) => (await buffer(body)).toString('hex'))
    const sent = Buffer.from('a whole tar')
    const { result } = await docker.applyDiff('x', '', sent)
    expect(result).to.equal(sent.toString('hex'))
  })

  it('takes a whole body of no bytes', async () => {
    await receive(async (body) => (await buffer(body)).length)
    expect(await docker.applyDiff('x', '', Buffer.alloc(0))).to.deep.equal({
      result: 0,
    })
  })

  it('reads what its user left, and answers after the last byte', async () => {
    await receive(firstChunk)
    const request = docker.upload('x')
    let answered = false
    request.once('response', () => (answered = true))
    for (let i = 0; i < 10; i++) {
      if (!request.write(Buffer.alloc(MEBIBYTE))) await once(request, 'drain')
    }
    expect(answered).to.equal(false)
    request.end()
    const [response] = await once(request, 'response')
    expect(response.statusCode).to.equal(200)
  })

  it('tells of a failure after the last byte too, and keeps the connection', async () => {
    await receive(async (body) => {
      body.destroy()
      throw new Error('No space left')
    })
    for (let i = 0; i < 2; i++) {
      const upload = docker.applyDiff('x', '', Buffer.alloc(3 * MEBIBYTE))
      await expectRejection(upload, Error, /ApplyDiff: No space left$/)
    }
    const connections = await new Promise((resolve) => {
      server.getConnections((_error, count) => resolve(count))
    })
    expect(connections).to.equal(1)
  })

  it('fails a reader whose upload is cut off', async () => {
    await receive(async (body) => (await buffer(body)).length)
    await cutAfter(Buffer.alloc(MEBIBYTE))
    await expectRejection(outcome, Error, /aborted|cut off/)
  })

  it('fails an upload that is cut off before its first byte', async () => {
    await receive(async (body) => (await buffer(body)).length)
    await cutAfter(Buffer.alloc(0))
    await expectRejection(outcome, Error, /aborted|cut off/)
  })

  it('fails an upload that is cut off after its reader was satisfied', async () => {
    await receive(firstChunk)
    await cutAfter(Buffer.alloc(MEBIBYTE))
    await expectRejection(outcome, InvalidArgumentError, /cut off/)
  })

  async function cutAfter(bytes: Buffer): Promise<void> {
    const arrived = once(server, 'request')
    await docker.cutUpload('x', bytes)
    await arrived
  }
})

/** A reader that takes the first chunk for everything. */
async function firstChunk(body: Readable): Promise<number> {
  for await (const chunk of body) return chunk.length
  return 0
}
