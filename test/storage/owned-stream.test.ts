import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { untilClosed } from '../../src/base/until-closed.ts'
import { ownedStream } from '../../src/storage/owned-stream.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'

describe('ownedStream', () => {
  let inner: Readable
  let letGoes: string[]

  beforeEach(() => {
    letGoes = []
  })

  function own(source: Readable, signal?: AbortSignal): Readable {
    inner = source
    const letGo = async (): Promise<void> => {
      letGoes.push(inner.closed ? 'after the source closed' : 'too early')
    }
    return ownedStream(inner, letGo, signal)
  }

  it('passes everything on, and lets go once at the end', async () => {
    const chunks = Array.from({ length: 1000 }, (_, index) =>
      Buffer.alloc(997, index),
    )
    const stream = own(Readable.from(chunks))
    expect(await buffer(stream)).to.deep.equal(Buffer.concat(chunks))
    if (!stream.closed) await once(stream, 'close')
    expect(letGoes).to.deep.equal(['after the source closed'])
  })

  it('lets go of a stream that nobody reads', async () => {
    const stream = own(endless())
    stream.destroy()
    await once(stream, 'close')
    expect(letGoes).to.deep.equal(['after the source closed'])
  })

  it('lets go when the reader walks away', async () => {
    const stream = own(endless())
    for await (const chunk of stream) {
      expect(chunk).to.not.be.empty
      break
    }
    await untilClosed(stream)
    expect(letGoes).to.deep.equal(['after the source closed'])
  })

  it('lets go once, however often it is destroyed', async () => {
    const stream = own(endless())
    for (let round = 0; round < 3; round++) stream.destroy()
    await once(stream, 'close')
    stream.destroy()
    expect(letGoes).to.have.lengthOf(1)
  })

  it('fails as its source fails, after letting go', async () => {
    const failing = Readable.from(
      (async function* () {
        yield Buffer.from('some')
        throw new Error('disk on fire')
      })(),
    )
    await expectRejection(buffer(own(failing)), Error, /disk on fire/)
    expect(letGoes).to.have.lengthOf(1)
  })

  it('fails when its source is closed before the end', async () => {
    const stream = own(endless())
    inner.destroy()
    await expectRejection(buffer(stream), Error, /closed/)
    expect(letGoes).to.have.lengthOf(1)
  })

  it('fails with an AbortError when aborted, even while the source is stuck', async () => {
    const abort = new AbortController()
    const stuck = new Readable({ read: () => undefined })
    const stream = own(stuck, abort.signal)
    const reading = buffer(stream)
    setImmediate(() => abort.abort())
    const error = await expectRejection(reading, Error)
    expect(error.name).to.equal('AbortError')
    expect(letGoes).to.have.lengthOf(1)
  })

  it('fails when letting go fails', async () => {
    const stream = ownedStream(
      Readable.from([Buffer.from('all')]),
      async () => {
        throw new Error('cannot unmount')
      },
    )
    await expectRejection(buffer(stream), Error, /cannot unmount/)
  })

  it('tells the first failure, not that of letting go after it', async () => {
    const stream = ownedStream(endless(), async () => {
      throw new Error('cannot unmount')
    })
    stream.destroy(new Error('reader gone'))
    const [error] = await once(stream, 'error')
    expect(error).to.have.property('message', 'reader gone')
  })

  it('reads no further ahead than a stream does', async () => {
    let produced = 0
    const source = new Readable({
      highWaterMark: 1,
      read() {
        produced++
        this.push(Buffer.alloc(64 * 1024))
      },
    })
    const stream = own(source)
    stream.read(0)
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    expect(produced).to.be.lessThan(6)
    stream.destroy()
    await once(stream, 'close')
  })
})

function endless(): Readable {
  return new Readable({
    read() {
      this.push(Buffer.alloc(64))
    },
  })
}
