import * as fs from 'node:fs/promises'
import { createServer, get, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { expect } from 'chai'
import { layerDiff } from '../../src/archive/layer-diff.ts'
import { sendTar } from '../../src/archive/tar-stream.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { collect, readTar } from '../support/read-tar.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const SIZE = 12 * 1024 * 1024

describe('sendTar', () => {
  const home = useTempDir()

  beforeEach(async () => {
    const content = Buffer.alloc(SIZE)
    for (let at = 0; at < SIZE; at += 4) content.writeUInt32LE(at, at)
    await fs.writeFile(join(home.path, 'big'), content)
  })

  it('sends the same bytes as are read from the stream', async () => {
    const read = await collect(await layerDiff({ tree: home.path }))
    const received = await overHttp(async (response) => {
      await sendTar(await layerDiff({ tree: home.path }), response)
    })
    expect(received.equals(read)).to.equal(true)
    expect(readTar(read)[0]).to.include({ name: 'big', size: SIZE })
  })

  it('sends what was begun to be read, and what is no such stream, as well', async () => {
    const tar = await layerDiff({ tree: home.path })
    const first = (await once(tar, 'readable').then(() => tar.read())) as Buffer
    const rest = new PassThrough()
    const [, received] = await Promise.all([sendTar(tar, rest), collect(rest)])
    const whole = await collect(await layerDiff({ tree: home.path }))
    expect(Buffer.concat([first, received]).equals(whole)).to.equal(true)

    const plain = new PassThrough()
    await sendTar(Readable.from([Buffer.from('plain')]), plain)
    expect(String(plain.read())).to.equal('plain')
  })

  it('fails when the receiver goes away midway, and lets go of the tree', async () => {
    const tar = await layerDiff({ tree: home.path })
    const closed = once(tar, 'close')
    let received = 0
    const receiver = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        received += chunk.length
        if (received > 1024 * 1024) this.destroy()
        else callback()
      },
    })
    await expectRejection(sendTar(tar, receiver), Error)
    await closed
    expect(await openBelow(home.path)).to.deep.equal([])
  })

  it('cuts the receiver off when the tar fails midway', async () => {
    const tar = await layerDiff({ tree: home.path })
    await fs.truncate(join(home.path, 'big'), 4 * 1024 * 1024)
    const failure = overHttp(async (response) => {
      await expectRejection(sendTar(tar, response), Error, /big/)
    })
    await expectRejection(failure, Error, /aborted|hang up/)
  })
})

describe('A diff in the making', () => {
  const home = useTempDir()

  it('runs beside others that nobody reads on', async () => {
    await fs.writeFile(join(home.path, 'big'), Buffer.alloc(SIZE))
    const waiting = await Promise.all(
      Array.from({ length: 4 }, () => layerDiff({ tree: home.path })),
    )
    const tar = await collect(await layerDiff({ tree: home.path }))
    expect(tar.length).to.be.greaterThan(SIZE)
    for (const stream of waiting) {
      stream.destroy()
      await once(stream, 'close')
    }
    expect(await openBelow(home.path)).to.deep.equal([])
  })
})

async function overHttp(
  answer: (response: ServerResponse) => Promise<void>,
): Promise<Buffer> {
  const answers: Promise<void>[] = []
  const server = createServer((_request, response) => {
    answers.push(answer(response))
  })
  server.listen(0)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  try {
    const request = get({ port, agent: false })
    const [response] = (await once(request, 'response')) as [Readable]
    return await collect(response)
  } finally {
    await Promise.all(answers)
    server.close()
  }
}

async function openBelow(path: string): Promise<string[]> {
  const found: string[] = []
  for (const descriptor of await fs.readdir('/proc/self/fd')) {
    const link = fs.readlink(`/proc/self/fd/${descriptor}`)
    const target = await link.catch(() => '')
    if (target.startsWith(path)) found.push(target)
  }
  return found
}
