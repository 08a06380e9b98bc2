import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import {
  ImageNotFoundError,
  ImageStoreExistsError,
  ImageStoreInUseError,
  ImageStoreNotFoundError,
} from '../../src/image/image-errors.ts'
import type { ImageStore } from '../../src/image/image-store.ts'
import { type Image, SCRATCH } from '../../src/image/image.ts'
import { type Capability, needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { layerTar } from '../support/layer-tar.ts'
import { describeImageContent } from './describe-image-content.ts'
import { describeImageDeleting } from './describe-image-deleting.ts'
import { describeImageWriting } from './describe-image-writing.ts'
import { type Exceptions, honour } from '../../src/conformance/suite-options.ts'
import { type OpenImages, useImageStorer } from './use-image-storer.ts'

/**
 * The contract of {@link ImageStorer} and its stores, as tests. Every one runs all
 * of them.
 *
 * @param open Opens it on a directory: an empty one, or one that it was opened on
 *   before.
 */
export function describeImageStorer(
  name: string,
  open: OpenImages,
  {
    on = [],
    except = {},
  }: { on?: readonly Capability[]; except?: Exceptions } = {},
): void {
  describe(`${name} as an ImageStorer`, () => {
    needs(...on)
    honour(except)
    const suite = useImageStorer(open)
    const { reopen, write, ids } = suite

    describe('stores', () => {
      it('begin with none', async () => {
        expect(await suite.storer.listImageStores()).to.deep.equal([])
      })

      it('have a scratch as soon as they are created, which is not listed', async () => {
        const store = await suite.storer.createImageStore('main')
        expect(store.link).to.equal('/storage/images/main')
        const scratch = await store.getImage(SCRATCH)
        expect(scratch).to.include({ parent: undefined, size: 0, depth: 0 })
        expect(scratch.parentLink).to.equal(undefined)
        expect(await ids()).to.deep.equal([])
      })

      it('are refused a name that is taken, or cannot be one', async () => {
        const { storer } = suite
        await storer.createImageStore('main')
        await expectRejection(
          storer.createImageStore('main'),
          ImageStoreExistsError,
          /"main" already exists/,
        )
        for (const bad of ['', '..', 'a/b', '.hidden', 'x'.repeat(256)]) {
          await expectRejection(
            storer.createImageStore(bad),
            InvalidArgumentError,
          )
        }
        expect(await storer.listImageStores()).to.have.lengthOf(1)
      })

      it('give one of 8 creators the name', async () => {
        const attempts = await Promise.allSettled(
          Array.from({ length: 8 }, () =>
            suite.storer.createImageStore('main'),
          ),
        )
        const made = attempts.filter(({ status }) => status === 'fulfilled')
        expect(made).to.have.lengthOf(1)
      })

      it('are listed by their links, sorted, before and after reopening', async () => {
        const links = ['a', 'b', 'c'].map((each) => `/storage/images/${each}`)
        for (const each of ['b', 'c', 'a']) {
          await suite.storer.createImageStore(each)
        }
        expect(await suite.storer.listImageStores()).to.deep.equal(links)
        await reopen()
        expect(await suite.storer.listImageStores()).to.deep.equal(links)
      })

      it('keep their images apart', async () => {
        await suite.storer.createImageStore('main')
        const other = await suite.storer.createImageStore('other')
        await write('base')
        await expectRejection(other.getImage('base'), ImageNotFoundError)
        const tar = layerTar({ file: 'different' })
        await other.writeImage(
          { id: 'base', parent: SCRATCH, digest: tar.digest },
          tar.stream(),
        )
        expect(await ids()).to.deep.equal(['base'])
      })

      it('are deleted when they are empty, or by force', async () => {
        const { storer } = suite
        await storer.createImageStore('main')
        await write('base')
        await expectRejection(
          storer.deleteImageStore('main'),
          ImageStoreInUseError,
          /"main" is in use by image "base"/,
        )
        await storer.deleteImageStore('main', { force: true })
        await expectRejection(
          storer.getImageStore('main'),
          ImageStoreNotFoundError,
        )
        await storer.createImageStore('main')
        expect(await ids()).to.deep.equal([])
        await storer.deleteImageStore('main')
        expect(await storer.listImageStores()).to.deep.equal([])
      })

      it('that do not exist are told to be absent, whatever the name', async () => {
        for (const absent of ['absent', '..', '', 'a/b']) {
          for (const asked of [
            () => suite.storer.getImageStore(absent),
            () => suite.storer.deleteImageStore(absent, { force: true }),
            () => suite.storer.repairImageStore(absent),
          ]) {
            await expectRejection(asked(), ImageStoreNotFoundError)
          }
        }
      })

      it('are repaired without harm when nothing is wrong with them', async () => {
        await suite.storer.createImageStore('main')
        await write('base')
        await suite.storer.repairImageStore('main')
        expect(await ids()).to.deep.equal(['base'])
      })
    })

    describeImageWriting(suite)

    describe('limits', () => {
      it('refuse an image that lies on too many others', async () => {
        await reopen({ maxLayerDepth: 3 })
        await suite.storer.createImageStore('main')
        await write('a')
        await write('b', 'a')
        await write('c', 'b')
        await expectRejection(
          write('d', 'c'),
          InvalidArgumentError,
          /"d" cannot lie on "c": at most 3 images/,
        )
        expect(await ids()).to.deep.equal(['a', 'b', 'c'])
      })

      it('refuse an image that would not fit, and count only what is there', async () => {
        await reopen({ imageQuota: 10_000 })
        const store = await suite.storer.createImageStore('main')
        await write('a', SCRATCH, layerTar({ file: 'x'.repeat(6000) }))
        const used = await store.usage()
        const more = layerTar({ file: 'y'.repeat(6000) })
        await expectRejection(
          write('b', SCRATCH, more),
          InvalidArgumentError,
          /"b" does not fit: store "main" may hold 10000 bytes/,
        )
        expect(await store.usage()).to.equal(used)
        await store.deleteImage('a')
        await write('b', SCRATCH, more)
        expect(await ids()).to.deep.equal(['b'])
      })
    })

    describe('listing', () => {
      let store: ImageStore

      beforeEach(async () => {
        store = await suite.storer.createImageStore('main')
      })

      it('shows parents before children, whatever their ids', async () => {
        await write('z')
        await write('y', 'z')
        await write('x', 'y')
        await reopen()
        expect(await ids()).to.deep.equal(['z', 'y', 'x'])
      })

      it('shows the images that are asked for, and tells which are missing', async () => {
        for (const id of ['a', 'b', 'c']) await write(id)
        const { images, missing } = await store.listImages(['c', 'nope', 'a'])
        expect(images.map(({ id }) => id)).to.deep.equal(['a', 'c'])
        expect(missing).to.deep.equal(['nope'])
      })

      it('has 20 images after reopening, each as it was', async () => {
        const written: Image[] = []
        for (let index = 0; index < 20; index++) {
          written.push(await write(`image-${index}`))
        }
        await reopen()
        const again = await suite.storer.getImageStore('main')
        const { images } = await again.listImages()
        expect(images).to.have.deep.members(written)
      })

      it('sums up what the images hold, and what one of them does', async () => {
        const a = await write('a', SCRATCH, layerTar({ f: 'x'.repeat(3000) }))
        const b = await write('b', 'a', layerTar({ g: 'x'.repeat(500) }))
        expect(a.size).to.be.at.least(3000)
        expect(await store.usage()).to.equal(a.size + b.size)
        expect(await store.usage('b')).to.equal(b.size)
        await store.deleteImage('b')
        expect(await store.usage()).to.equal(a.size)
        await reopen()
        const again = await suite.storer.getImageStore('main')
        expect(await again.usage()).to.equal(a.size)
        await expectRejection(again.usage('b'), ImageNotFoundError)
      })
    })

    describeImageDeleting(suite)

    describeImageContent(suite)
  })
}
