import { Readable } from 'node:stream'
import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import {
  forgeEntry,
  forgeTar,
  TAR_END,
} from '../../src/conformance/forge-tar.ts'
import { type ApplyLayer, useLayer } from '../support/layer.ts'

/** The tar as a stream, and how much of it is too much. */
export function describeLayerStream(applyLayer: ApplyLayer): void {
  const { dir, apply, applyTar, text, isThere } = useLayer(applyLayer)

  describe('the stream', () => {
    it('counts the bytes of files, and of links and whiteouts none', async () => {
      const size = await apply(
        { name: 'x', content: 'ab' },
        { name: 'y', content: 'abcd' },
        { name: 'z', type: '1', linkName: 'x' },
        { name: 's', type: '2', linkName: 'x' },
        { name: '.wh.file' },
      )
      expect(size).to.equal(6)
    })

    it('may be empty, or nothing but its end', async () => {
      expect(await applyTar(Buffer.alloc(0))).to.equal(0)
      expect(await applyTar(TAR_END)).to.equal(0)
      expect(await applyTar(Buffer.alloc(10_240))).to.equal(0)
    })

    it('is read to its very end, garbage and all', async () => {
      const chunks = [
        forgeTar({ name: 'x', content: 'x' }),
        ...Array.from({ length: 50 }, () => Buffer.alloc(65_536, 'garbage')),
      ]
      const tar = Readable.from(chunks)
      expect(await applyLayer(dir.path, tar)).to.equal(1)
      expect(tar.readableEnded).to.equal(true)
    })

    it('is read to its very end after a failure, too', async () => {
      const chunks = [
        forgeTar({ name: '.wh.' }),
        ...Array.from({ length: 50 }, () => Buffer.alloc(65_536)),
      ]
      const tar = Readable.from(chunks)
      await expectRejection(applyLayer(dir.path, tar), InvalidArgumentError)
      expect(tar.readableEnded).to.equal(true)
    })

    it('may come in pieces of any size', async () => {
      const tar = forgeTar(
        { name: 'x', content: 'x'.repeat(1500) },
        { name: 'd/y', content: 'y'.repeat(512) },
      )
      const pieces = Array.from({ length: tar.length }, (_, i) =>
        tar.subarray(i, i + 1),
      )
      await applyLayer(dir.path, Readable.from(pieces))
      expect(await text('x')).to.equal('x'.repeat(1500))
      expect(await text('d/y')).to.equal('y'.repeat(512))
    })

    it('is an error wherever it is cut', async () => {
      const tar = forgeTar({ name: 'x', content: 'y'.repeat(600) })
      for (const length of [1, 511, 512, 700, 1112, 1200, 1535, 1536]) {
        const error = await expectRejection(
          applyTar(tar.subarray(0, length)),
          InvalidArgumentError,
        )
        expect(error.message).to.contain('ends early')
      }
    })

    it('is an error when it is no tar', async () => {
      const garbage = Buffer.alloc(4096, 'garbage')
      await expectRejection(applyTar(garbage), InvalidArgumentError, /tar/)
      const tail = forgeTar({ name: 'x', content: 'y'.repeat(600) })
      await expectRejection(applyTar(tail.subarray(600)), InvalidArgumentError)
    })

    it('fails as its source fails', async () => {
      const source = Readable.from(
        (async function* () {
          yield forgeEntry({ name: 'x', content: 'x' })
          throw new Error('the line went dead')
        })(),
      )
      await expectRejection(
        applyLayer(dir.path, source),
        Error,
        /the line went dead/,
      )
    })

    it('ends when it is told to', async () => {
      const controller = new AbortController()
      const source = Readable.from(
        (async function* () {
          for (let i = 0; ; i++) {
            if (i === 20) controller.abort()
            yield forgeEntry({ name: `x${i}`, content: 'x' })
            await new Promise((resolve) => setImmediate(resolve))
          }
        })(),
      )
      const error = await expectRejection(
        applyLayer(dir.path, source, { signal: controller.signal }),
        Error,
      )
      expect(error.name).to.equal('AbortError')
      expect(source.destroyed).to.equal(true)
    })
  })

  describe('limits', () => {
    it('end an archive of too many entries', async () => {
      const tar = forgeTar({ name: 'x' }, { name: 'y' }, { name: 'z' })
      await expectRejection(
        applyTar(tar, { limits: { entries: 2 } }),
        InvalidArgumentError,
        /more than 2 entries/,
      )
    })

    it('end an archive of too many bytes before they are written', async () => {
      const tar = forgeTar(
        { name: 'x', content: 'ab' },
        { name: 'y', size: 10 ** 10 },
      )
      const error = await expectRejection(
        applyTar(tar, { limits: { totalBytes: 10 ** 9 } }),
        InvalidArgumentError,
      )
      expect(error.message).to.match(/"y".*more than 1000000000 bytes/)
      expect(await isThere('y')).to.equal(false)
    })

    it('refuse paths that are too deep', async () => {
      const tar = forgeTar({ name: 'd/'.repeat(20), type: '5' })
      const error = await expectRejection(
        applyTar(tar, { limits: { depth: 10 } }),
        InvalidArgumentError,
      )
      expect(error.message).to.contain('of at most 10')
      const deepest = forgeTar({
        name: 'x',
        pax: { path: 'd/'.repeat(9999) },
      })
      await expectRejection(applyTar(deepest), InvalidArgumentError)
    })

    it('refuse headers that are too long', async () => {
      const tar = forgeTar({ name: 'x', pax: { path: 'x'.repeat(5000) } })
      await expectRejection(
        applyTar(tar, { limits: { headerBytes: 4000 } }),
        InvalidArgumentError,
        /exceed 4000 bytes/,
      )
      const lie = forgeEntry({ name: 'p', type: 'x', size: 8 * 1024 ** 3 })
      await expectRejection(applyTar(lie), InvalidArgumentError, /exceed/)
    })
  })
}
