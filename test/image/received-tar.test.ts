import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { receive } from '../../src/image/received-tar.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'

describe('receive', () => {
  const bytes = Buffer.alloc(300_000, 'content')

  it('passes all on, and answers both digests and the result', async () => {
    const packed = gzipSync(bytes)
    const received = await receive(Readable.from([packed]), buffer)
    expect(received.result.equals(bytes)).to.equal(true)
    expect(received.digest).to.equal(digestOf(packed))
    expect(received.diffId).to.equal(digestOf(bytes))
  })

  it('counts what the taker leaves unread', async () => {
    const received = await receive(Readable.from(pieces()), async (tar) => {
      for await (const chunk of tar.iterator({ destroyOnReturn: false })) {
        return chunk.length
      }
      return 0
    })
    expect(received.result).to.be.lessThan(bytes.length)
    expect(received.digest).to.equal(digestOf(bytes))
  })

  it('fails as its source fails, and as the taker fails', async () => {
    const failing = Readable.from(
      (async function* () {
        yield bytes
        throw new Error('connection lost')
      })(),
    )
    await expectRejection(receive(failing, buffer), Error, /connection lost/)

    const source = Readable.from(pieces())
    const taking = receive(source, async () => {
      throw new Error('disk full')
    })
    await expectRejection(taking, Error, /disk full/)
    expect(source.destroyed).to.equal(true)
  })

  function* pieces(): Generator<Buffer, void> {
    for (let at = 0; at < bytes.length; at += 1000) {
      yield bytes.subarray(at, at + 1000)
    }
  }
})

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
