import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { compressed } from '../../src/archive/compressed.ts'
import { decompressed } from '../../src/archive/compression.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'

describe('compressed', () => {
  const bytes = Buffer.alloc(500_000, 'abc')

  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    describe(`by ${compression}`, () => {
      it('is what was given, once it is decompressed', async () => {
        const out = await compressed(Readable.from([bytes]), compression)
        const back = Readable.from(decompressed(out))
        expect((await buffer(back)).equals(bytes)).to.equal(true)
      })

      it('fails when what is given does', async () => {
        const failing = Readable.from(cutShort(bytes))
        const out = await compressed(failing, compression)
        await expectRejection(buffer(out), Error, /torn/)
      })

      it('ends what is given when nobody wants it any more', async () => {
        const given = Readable.from(forEver(bytes))
        const out = await compressed(given, compression)
        out.once('data', () => out.destroy())
        while (!given.destroyed) await sleep(5)
      })
    })
  }
})

async function* cutShort(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
  throw new Error('torn')
}

async function* forEver(bytes: Buffer): AsyncGenerator<Buffer> {
  for (;;) {
    await sleep(1)
    yield bytes
  }
}
