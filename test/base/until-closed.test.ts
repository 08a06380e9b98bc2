import { Readable } from 'node:stream'
import { expect } from 'chai'
import { untilClosed } from '../../src/base/until-closed.ts'

describe('untilClosed', () => {
  it('waits for a stream that ends, and for one that fails', async () => {
    const ending = Readable.from(['text'])
    ending.resume()
    await untilClosed(ending)
    expect(ending.closed).to.equal(true)

    const failing = Readable.from(['text'])
    failing.on('error', () => undefined)
    failing.destroy(new Error('disk on fire'))
    await untilClosed(failing)
    expect(failing.closed).to.equal(true)
  })

  it('does not wait for a stream that closed before', async () => {
    const stream = Readable.from(['text'])
    await untilClosed(stream.destroy())
    await untilClosed(stream)
  })
})
