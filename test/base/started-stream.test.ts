import { buffer } from 'node:stream/consumers'
import { once } from 'node:events'
import { expect } from 'chai'
import { startedStream } from '../../src/base/started-stream.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'

describe('startedStream', () => {
  it('carries every chunk, the first one too', async () => {
    const stream = await startedStream(chunks(['ab', 'c', 'd']))
    expect((await buffer(stream)).toString()).to.equal('abcd')
  })

  it('is an empty stream over a generator without chunks', async () => {
    const stream = await startedStream(chunks([]))
    expect((await buffer(stream)).length).to.equal(0)
  })

  it('rejects when the generator fails before its first chunk', async () => {
    await expectRejection(startedStream(failing()), TypeError, /early/)
  })

  it('cleans up when nobody reads', async () => {
    const state = { closed: false }
    const stream = await startedStream(chunks(['a', 'b'], state))
    stream.destroy()
    await once(stream, 'close')
    expect(state.closed).to.equal(true)
  })
})

async function* chunks(
  texts: readonly string[],
  state = { closed: false },
): AsyncGenerator<Uint8Array, void> {
  try {
    for (const text of texts) yield Buffer.from(text)
  } finally {
    state.closed = true
  }
}

// eslint-disable-next-line require-yield
async function* failing(): AsyncGenerator<Uint8Array, void> {
  throw new TypeError('early')
}
