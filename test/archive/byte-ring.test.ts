import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import {
  allocateRing,
  RING_CUT,
  RingCutError,
  RingReader,
  RingWriter,
} from '../../src/archive/byte-ring.ts'
import { feedRing } from '../../src/archive/ring-feed.ts'
import { Thread } from '../../src/base/thread.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import type { RingReaderCalls } from '../support/ring-reader.ts'

describe('A ring of bytes', () => {
  let threads: Thread<RingReaderCalls>[]

  beforeEach(() => {
    const module = new URL('../support/ring-reader.js', import.meta.url)
    threads = [new Thread(module), new Thread(module)]
  })
  afterEach(() => Promise.all(threads.map((thread) => thread.close())))

  function digestsOf(
    ring: ReturnType<typeof allocateRing>,
    limit?: number,
  ): Promise<string>[] {
    return threads.map((thread, i) => thread.call('digest', ring, i, limit))
  }

  it('gives every reader all that was written, in order', async () => {
    const ring = allocateRing(threads.length)
    const writer = new RingWriter(ring)
    const chunks = [1, 100_000, 3, 2_500_000, 0, 1_048_576, 65_536].map((n) =>
      randomBytes(n),
    )
    const digests = digestsOf(ring)
    await feedRing(Readable.from(chunks), writer)
    const expected = createHash('sha256').update(Buffer.concat(chunks))
    const hex = expected.digest('hex')
    expect(await Promise.all(digests)).to.deep.equal([hex, hex])
  })

  it('begins when enough is written to wake somebody for, or all is', async () => {
    let begun = 0
    const write = (bytes: number): RingWriter => {
      const writer = new RingWriter(allocateRing(1))
      void writer.begun.then(() => (begun += 1))
      writer.writeSome(Buffer.alloc(bytes))
      return writer
    }
    const small = write(1000)
    const large = write(512 * 1024)
    await large.begun
    expect(begun).to.equal(1)
    expect(large.isEnded).to.equal(false)
    small.end()
    await small.begun
    expect(small.isEnded).to.equal(true)
  })

  it('may be used again', async () => {
    const ring = allocateRing(threads.length)
    for (const size of [10, 3_000_000, 0]) {
      const bytes = randomBytes(size)
      const writer = new RingWriter(ring)
      const digests = digestsOf(ring)
      await feedRing(Readable.from([bytes]), writer)
      const hex = createHash('sha256').update(bytes).digest('hex')
      expect(await Promise.all(digests)).to.deep.equal([hex, hex])
    }
  })

  it('tells its readers when it is cut, and reads the rest past', async () => {
    const ring = allocateRing(threads.length)
    const source = Readable.from(
      Array.from({ length: 100 }, () => Buffer.alloc(65_536)),
    )
    const writer = new RingWriter(ring)
    const digests = digestsOf(ring, 1_500_000)
    const errors = digests.map((digest) => expectRejection(digest, Error))
    await feedRing(source, writer)
    expect(source.readableEnded).to.equal(true)
    for (const error of await Promise.all(errors)) {
      expect(error).to.include({ code: RING_CUT })
    }
  })

  for (const [how, end, message] of [
    ['fails', (source: Readable) => source.destroy(new Error('lost')), /lost/],
    ['is left', (source: Readable) => source.destroy(), /Premature close/],
    ['is aborted', (_: Readable, abort: () => void) => abort(), /aborted/],
  ] as const) {
    it(`is cut when its source ${how}, full as it may be`, async () => {
      const ring = allocateRing(1)
      const reader = new RingReader(ring, 0)
      const source = new Readable({ read: () => undefined })
      source.push(Buffer.alloc(2 << 20))
      const controller = new AbortController()
      const fed = feedRing(source, new RingWriter(ring), controller.signal)
      setTimeout(() => end(source, () => controller.abort()), 10)
      await expectRejection(fed, Error, message)
      expect(source.destroyed).to.equal(true)
      expect(reader.isCut).to.equal(true)
      expect(() => reader.read()).to.throw(RingCutError)
    })
  }
})
