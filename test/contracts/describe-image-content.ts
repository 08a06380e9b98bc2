import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import {
  InUseError,
  InvalidArgumentError,
  NotFoundError,
} from '../../src/base/errors.ts'
import { ImageNotFoundError } from '../../src/image/image-errors.ts'
import { type ImageStore } from '../../src/image/image-store.ts'
import { SCRATCH } from '../../src/image/image.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { layerTar, tarOf } from '../support/layer-tar.ts'
import { readTar } from '../support/read-tar.ts'
import type { ImageSuite } from './use-image-storer.ts'

/** What an image store promises about content images; a part of `describeImageStorer`. */
export function describeImageContent(suite: ImageSuite): void {
  const { write } = suite
  describe('content', () => {
    let store: ImageStore

    beforeEach(async () => {
      store = await suite.storer.createImageStore('main')
      await write('a', SCRATCH, layerTar({ 'd/': '', 'd/kept': '1', old: '2' }))
      await write('b', 'a', layerTar({ 'd/new': '3', '.wh.old': '' }))
    })

    it('is exported whole, with what lies below', async () => {
      const tar = await store.export('b')
      expect(namesIn(await buffer(tar))).to.deep.equal([
        './',
        'd/',
        'd/kept',
        'd/new',
      ])
    })

    it('is exported filtered, and under other names', async () => {
      const filter = {
        include: ['d'],
        exclude: ['', 'd/new'],
        rebase: 'x',
        strip: 'd',
      }
      const tar = await store.export('b', { filter })
      expect(namesIn(await buffer(tar))).to.deep.equal(['x/', 'x/kept'])
    })

    it('is exported as headers only, of the same names', async () => {
      const headers = await buffer(await store.export('b', { data: false }))
      const whole = await buffer(await store.export('b'))
      expect(namesIn(headers)).to.deep.equal(namesIn(whole))
      expect(headers.length).to.be.lessThan(whole.length)
    })

    it('is exported as the difference to an ancestor, with what was deleted', async () => {
      const tar = await store.export('b', { ancestor: 'a' })
      expect(namesIn(await buffer(tar))).to.include.members([
        '.wh.old',
        'd/new',
      ])
      const whole = await store.export('a', { ancestor: SCRATCH })
      expect(namesIn(await buffer(whole))).to.deep.equal([
        'd/',
        'd/kept',
        'old',
      ])
    })

    it('is exported as the filtered difference to an ancestor', async () => {
      const filter = { include: ['d/new'] }
      const tar = await store.export('b', { ancestor: 'a', filter })
      expect(namesIn(await buffer(tar))).to.deep.equal(['d/new'])
    })

    it('becomes the same image when it is written again', async () => {
      const tar = tarOf(
        await buffer(await store.export('b', { ancestor: 'a' })),
      )
      await write('again', 'a', tar)
      const [one, other] = [
        await buffer(await store.export('b')),
        await buffer(await store.export('again')),
      ]
      expect(namesIn(one)).to.deep.equal(namesIn(other))
    })

    it('can be looked at path by path, and never outside', async () => {
      await using source = await store.openSource('b')
      expect((await source.stat('d/kept')).size).to.equal(1)
      await expectRejection(source.stat('old'), NotFoundError)
      await expectRejection(source.stat('../d'), InvalidArgumentError)
    })

    it('is exported once by each source', async () => {
      await using source = await store.openSource('b')
      await buffer(await source.export())
      await expectRejection(source.export(), InUseError)
    })

    it('lets go of the image when the reader walks away', async () => {
      const read = await store.export('b')
      read.once('data', () => read.destroy())
      await once(read, 'close')
      const abort = new AbortController()
      const aborted = await store.export('b', { signal: abort.signal })
      abort.abort()
      await expectRejection(buffer(aborted), Error)
      const { selfLink } = await store.getImage('b')
      expect(await store.owners(selfLink)).to.deep.equal([])
      await store.deleteImage('b')
    })

    it('of an image that is not there is not found', async () => {
      for (const asked of [
        () => store.export('absent'),
        () => store.export('absent', { ancestor: 'a' }),
        () => store.export('a', { ancestor: 'absent' }),
        () => store.openSource('absent'),
        () => store.locate('absent'),
      ]) {
        await expectRejection(asked(), ImageNotFoundError, /"absent"/)
      }
      await store.deleteImage('b')
    })
  })
}

/** The names of a tar's entries, in its order. */
function namesIn(tar: Buffer): readonly string[] {
  return readTar(tar).map(({ name }) => name)
}
