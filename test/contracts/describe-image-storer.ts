import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import {
  InUseError,
  InvalidArgumentError,
  NotFoundError,
} from '../../src/base/errors.ts'
import { deleteBranch } from '../../src/image/delete-branch.ts'
import {
  DigestMismatchError,
  ImageInUseError,
  ImageNotFoundError,
  ImageStoreExistsError,
  ImageStoreInUseError,
  ImageStoreNotFoundError,
} from '../../src/image/image-errors.ts'
import type { ImageStorer } from '../../src/image/image-storer.ts'
import type { ImageStore } from '../../src/image/image-store.ts'
import { type Image, SCRATCH } from '../../src/image/image.ts'
import { type Capability, needs } from '../support/capabilities.ts'
import { expectRejection } from '../support/expect-rejection.ts'
import { layerTar, type LayerTar, tarOf } from '../support/layer-tar.ts'
import { useTempDir } from '../support/temp-dir.ts'
import { type Exceptions, honour } from './exceptions.ts'

/** A storer that runs until it is closed, as a process does until it ends. */
export interface OpenImageStorer {
  readonly storer: ImageStorer
  readonly close: () => Promise<void>
}

export interface ImageStorerLimits {
  readonly maxLayerDepth?: number
  readonly imageQuota?: number
}

/**
 * The contract of {@link ImageStorer} and its stores, as tests. Every one runs all
 * of them.
 *
 * @param open Opens it on a directory: an empty one, or one that it was opened on
 *   before.
 */
export function describeImageStorer(
  name: string,
  open: (home: string, limits?: ImageStorerLimits) => Promise<OpenImageStorer>,
  {
    on = [],
    except = {},
  }: { on?: readonly Capability[]; except?: Exceptions } = {},
): void {
  describe(`${name} as an ImageStorer`, () => {
    needs(...on)
    honour(except)
    let opened: OpenImageStorer

    // Before the hook that takes the directory away.
    afterEach(() => opened.close())
    const home = useTempDir()

    beforeEach(async () => {
      opened = await open(home.path)
    })

    const reopen = async (limits?: ImageStorerLimits): Promise<void> => {
      await opened.close()
      opened = await open(home.path, limits)
    }

    const write = async (
      id: string,
      parent: string = SCRATCH,
      tar: LayerTar = layerTar({ [id]: `content of ${id}` }),
      metadata: Readonly<Record<string, string>> = {},
    ): Promise<Image> => {
      const store = await opened.storer.getImageStore('main')
      const { digest } = tar
      return store.writeImage({ id, parent, digest, metadata }, tar.stream())
    }

    /** Three branches: 1-10-100, 2-20-200, and 3-30 with 300 and 301 on it. */
    const writeBranches = async (): Promise<void> => {
      for (const branch of ['1', '2', '3']) {
        await write(branch)
        await write(`${branch}0`, branch)
        await write(`${branch}00`, `${branch}0`)
      }
      await write('301', '30')
    }

    const ids = async (): Promise<readonly string[]> => {
      const store = await opened.storer.getImageStore('main')
      const { images, problems } = await store.listImages()
      expect(problems).to.deep.equal([])
      return images.map(({ id }) => id)
    }

    describe('stores', () => {
      it('begin with none', async () => {
        expect(await opened.storer.listImageStores()).to.deep.equal([])
      })

      it('have a scratch as soon as they are created, which is not listed', async () => {
        const store = await opened.storer.createImageStore('main')
        expect(store.link).to.equal('/storage/images/main')
        const scratch = await store.getImage(SCRATCH)
        expect(scratch).to.include({ parent: undefined, size: 0, depth: 0 })
        expect(scratch.parentLink).to.equal(undefined)
        expect(await ids()).to.deep.equal([])
      })

      it('are refused a name that is taken, or cannot be one', async () => {
        const { storer } = opened
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
            opened.storer.createImageStore('main'),
          ),
        )
        const made = attempts.filter(({ status }) => status === 'fulfilled')
        expect(made).to.have.lengthOf(1)
      })

      it('are listed by their links, sorted, before and after reopening', async () => {
        const links = ['a', 'b', 'c'].map((each) => `/storage/images/${each}`)
        for (const each of ['b', 'c', 'a']) {
          await opened.storer.createImageStore(each)
        }
        expect(await opened.storer.listImageStores()).to.deep.equal(links)
        await reopen()
        expect(await opened.storer.listImageStores()).to.deep.equal(links)
      })

      it('keep their images apart', async () => {
        await opened.storer.createImageStore('main')
        const other = await opened.storer.createImageStore('other')
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
        const { storer } = opened
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
            () => opened.storer.getImageStore(absent),
            () => opened.storer.deleteImageStore(absent, { force: true }),
            () => opened.storer.repairImageStore(absent),
          ]) {
            await expectRejection(asked(), ImageStoreNotFoundError)
          }
        }
      })

      it('are repaired without harm when nothing is wrong with them', async () => {
        await opened.storer.createImageStore('main')
        await write('base')
        await opened.storer.repairImageStore('main')
        expect(await ids()).to.deep.equal(['base'])
      })
    })

    describe('writing', () => {
      let store: ImageStore

      beforeEach(async () => {
        store = await opened.storer.createImageStore('main')
      })

      it('answers what it reads back, before and after reopening', async () => {
        const metadata = { config: '{"os":"linux"}', empty: '', 'ü /..': 'ü\0' }
        const tar = layerTar({ 'etc/': '', 'etc/passwd': 'root' })
        const base = await write('base', SCRATCH, tar, metadata)
        expect(base).to.include({
          id: 'base',
          parent: SCRATCH,
          digest: tar.digest,
          diffId: tar.digest,
          depth: 1,
          store: 'main',
          selfLink: '/storage/images/main/base',
          parentLink: '/storage/images/main/scratch',
        })
        expect(base.metadata).to.deep.equal(metadata)
        expect(await store.getImage('base')).to.deep.equal(base)
        await reopen()
        const again = await opened.storer.getImageStore('main')
        expect(await again.getImage('base')).to.deep.equal(base)
        expect((await again.listImages()).images).to.deep.equal([base])
      })

      it('hands out images that nobody can change', async () => {
        const base = await write('base', SCRATCH, undefined, { key: 'value' })
        expect(base).to.be.frozen
        expect(base.metadata).to.be.frozen
      })

      it('refuses a parent that is not there, and names it', async () => {
        await expectRejection(
          write('child', 'absent'),
          ImageNotFoundError,
          /"absent" does not exist in store "main"/,
        )
        expect(await ids()).to.deep.equal([])
      })

      it('refuses ids and digests that are not ones', async () => {
        for (const id of ['', '..', '../../x', 'a/b', 'x'.repeat(256)]) {
          await expectRejection(write(id), InvalidArgumentError)
        }
        for (const digest of ['', 'sha256:', 'md5:abc', 'a'.repeat(64)]) {
          const draft = { id: 'base', parent: SCRATCH, digest }
          await expectRejection(
            store.writeImage(draft, Readable.from([])),
            InvalidArgumentError,
          )
        }
      })

      it('takes ids as long as a name may be, and ids like its own files', async () => {
        const odd = ['x'.repeat(255), 'new-1', 'lock', 'image.json', 'images']
        for (const id of odd) await write(id)
        await reopen()
        expect((await ids()).toSorted()).to.deep.equal(odd.toSorted())
      })

      it('refuses content of another digest, leaves nothing, and takes the right one then', async () => {
        const tar = layerTar({ file: 'right' })
        const { digest } = layerTar({ file: 'wrong' })
        await expectRejection(
          store.writeImage(
            { id: 'base', parent: SCRATCH, digest },
            tar.stream(),
          ),
          DigestMismatchError,
          new RegExp(`must have the digest ${digest}, but has ${tar.digest}`),
        )
        expect(await ids()).to.deep.equal([])
        await write('base', SCRATCH, tar)
        expect(await ids()).to.deep.equal(['base'])
      })

      it('takes the digest over all bytes, also those after the end of the tar', async () => {
        const { bytes, digest } = layerTar({ file: 'content' })
        const longer = tarOf(Buffer.concat([bytes, Buffer.alloc(70_000, 'x')]))
        const draft = { id: 'base', parent: SCRATCH, digest }
        await expectRejection(
          store.writeImage(draft, longer.stream()),
          DigestMismatchError,
        )
        const image = await write('base', SCRATCH, longer)
        expect(image.digest).to.equal(longer.digest)
      })

      it('keeps both digests of what comes compressed', async () => {
        const plain = layerTar({ file: 'content' })
        const packed = tarOf(gzipSync(plain.bytes))
        const image = await write('base', SCRATCH, packed)
        expect(image.digest).to.equal(packed.digest)
        expect(image.diffId).to.equal(plain.digest)
      })

      it('takes an empty stream for an empty image', async () => {
        await write('base', SCRATCH, tarOf(Buffer.alloc(0)))
        expect(await store.usage('base')).to.equal(0)
      })

      it('refuses what is no archive, and leaves nothing', async () => {
        const text = tarOf(Buffer.from('this is not a tar'.repeat(100)))
        await expectRejection(
          write('base', SCRATCH, text),
          InvalidArgumentError,
        )
        expect(await ids()).to.deep.equal([])
        expect(await store.usage()).to.equal(0)
      })

      it('answers the image that is there, and does not read the stream', async () => {
        const base = await write('base')
        const { digest } = base
        const unread = new Readable({
          read() {
            throw new Error('was read')
          },
        })
        const draft = { id: 'base', parent: SCRATCH, digest }
        expect(await store.writeImage(draft, unread)).to.deep.equal(base)
      })

      it('refuses another content for an id that is there', async () => {
        await write('base')
        const other = layerTar({ other: 'content' })
        await expectRejection(
          write('base', SCRATCH, other),
          DigestMismatchError,
        )
      })

      it('makes one image of 20 writers at once, and tells all of them the same', async () => {
        const tar = layerTar({ big: 'x'.repeat(100_000) })
        const images = await Promise.all(
          Array.from({ length: 20 }, () => write('base', SCRATCH, tar)),
        )
        for (const image of images) expect(image).to.deep.equal(images[0])
        expect(await ids()).to.deep.equal(['base'])
        expect(await store.usage()).to.equal(images[0]!.size)
      })

      it('lets the next writer of an id in when the first one fails', async () => {
        const tar = layerTar({ file: 'content' })
        const draft = { id: 'base', parent: SCRATCH, digest: tar.digest }
        const broken = Readable.from(
          (async function* () {
            yield tar.bytes.subarray(0, 512)
            throw new Error('connection lost')
          })(),
        )
        const first = store.writeImage(draft, broken)
        const second = store.writeImage(draft, tar.stream())
        await expectRejection(first, Error, /connection lost/)
        expect((await second).id).to.equal('base')
      })

      it('makes ten images on one parent at once', async () => {
        await write('base')
        const children = Array.from({ length: 10 }, (_, index) => `c${index}`)
        await Promise.all(children.map((id) => write(id, 'base')))
        expect(await ids()).to.deep.equal(['base', ...children])
      })

      it('stops when aborted, and leaves nothing', async () => {
        const abort = new AbortController()
        const tar = layerTar({ file: 'content' })
        const stuck = new Readable({ read: () => undefined })
        stuck.push(tar.bytes.subarray(0, 512))
        const writing = store.writeImage(
          { id: 'base', parent: SCRATCH, digest: tar.digest },
          stuck,
          { signal: abort.signal },
        )
        setTimeout(() => abort.abort(), 20)
        const error = await expectRejection(writing, Error)
        expect(error.name).to.equal('AbortError')
        expect(stuck.destroyed).to.equal(true)
        expect(await ids()).to.deep.equal([])
        await write('base')
      })

      it('refuses to import into an image, because it is sealed', async () => {
        await write('base')
        const importing = store.import('base', layerTar({}).stream())
        await expectRejection(importing, InUseError, /"base" is sealed/)
        await expectRejection(store.openSink('base'), InUseError)
        await expectRejection(store.openSink('absent'), ImageNotFoundError)
      })
    })

    describe('limits', () => {
      it('refuse an image that lies on too many others', async () => {
        await reopen({ maxLayerDepth: 3 })
        await opened.storer.createImageStore('main')
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
        const store = await opened.storer.createImageStore('main')
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
        store = await opened.storer.createImageStore('main')
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
        const again = await opened.storer.getImageStore('main')
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
        const again = await opened.storer.getImageStore('main')
        expect(await again.usage()).to.equal(a.size)
        await expectRejection(again.usage('b'), ImageNotFoundError)
      })
    })

    describe('deleting', () => {
      let store: ImageStore

      beforeEach(async () => {
        store = await opened.storer.createImageStore('main')
      })

      it('takes leaves, and refuses what something lies on, by its name', async () => {
        await write('a')
        await write('b', 'a')
        await write('c', 'b')
        await expectRejection(
          store.deleteImage('b'),
          ImageInUseError,
          /"b" is in use by image "c"/,
        )
        expect(await ids()).to.deep.equal(['a', 'b', 'c'])
        for (const id of ['c', 'b', 'a']) await store.deleteImage(id)
        expect(await ids()).to.deep.equal([])
        await expectRejection(store.getImage('a'), ImageNotFoundError)
        await expectRejection(store.deleteImage('a'), ImageNotFoundError)
      })

      it('lets the same id be written again, with another content', async () => {
        await write('a')
        await store.deleteImage('a')
        await write('a', SCRATCH, layerTar({ other: 'content' }))
        await reopen()
        expect(await ids()).to.deep.equal(['a'])
      })

      it('never takes the scratch', async () => {
        await expectRejection(store.deleteImage(SCRATCH), InvalidArgumentError)
        await expectRejection(
          deleteBranch(store, SCRATCH),
          InvalidArgumentError,
        )
      })

      it('refuses the parent of an image that is being written', async () => {
        await write('a')
        const tar = layerTar({ file: 'content' })
        const slow = new Readable({ read: () => undefined })
        slow.push(tar.bytes.subarray(0, 512))
        const writing = store.writeImage(
          { id: 'b', parent: 'a', digest: tar.digest },
          slow,
        )
        await new Promise((resolve) => setTimeout(resolve, 50))
        await expectRejection(
          store.deleteImage('a'),
          ImageInUseError,
          /image "b", being written/,
        )
        slow.push(tar.bytes.subarray(512))
        slow.push(null)
        await writing
        expect(await ids()).to.deep.equal(['a', 'b'])
      })

      it('refuses an image that is being read, and tells its owners', async () => {
        const { selfLink } = await write('a')
        expect(await store.locate('a')).to.equal(selfLink)
        expect(await store.owners(selfLink)).to.deep.equal([])
        const source = await store.openSource('a')
        expect(await store.owners(selfLink)).to.have.lengthOf(1)
        await expectRejection(store.deleteImage('a'), ImageInUseError)
        await source.close()
        await source.close()
        expect(await store.owners(selfLink)).to.deep.equal([])
        await store.deleteImage('a')
      })

      it('tells the owners of its own images only', async () => {
        await write('a')
        for (const link of [
          '/storage/images/main',
          '/storage/images/other/a',
          '/storage/volumes/main/a',
          'nonsense',
        ]) {
          await expectRejection(store.owners(link), InvalidArgumentError)
        }
        await expectRejection(
          store.owners('/storage/images/main/b'),
          NotFoundError,
        )
      })

      for (const [leaf, keep, deleted, end] of [
        ['100', [], ['100', '10', '1'], { id: SCRATCH, reason: 'scratch' }],
        ['300', [], ['300'], { id: '30', reason: 'in-use' }],
        ['200', ['2'], ['200', '20'], { id: '2', reason: 'kept' }],
        ['200', ['200'], [], { id: '200', reason: 'kept' }],
      ] as const) {
        it(`takes ${deleted.join(', ') || 'nothing'} with the branch of ${leaf}, ${keep.length === 0 ? 'keeping none' : `keeping ${keep.join()}`}`, async () => {
          await writeBranches()
          const branch = await deleteBranch(store, leaf, new Set(keep))
          expect(branch.deleted.map(({ id }) => id)).to.deep.equal(deleted)
          expect(branch.end).to.deep.equal(end)
          expect(await ids()).to.have.lengthOf(10 - deleted.length)
        })
      }

      it('takes nothing with the branch of an image that others lie on', async () => {
        await writeBranches()
        await expectRejection(deleteBranch(store, '1'), ImageInUseError)
        expect(await ids()).to.have.lengthOf(10)
      })
    })

    describe('content', () => {
      let store: ImageStore

      beforeEach(async () => {
        store = await opened.storer.createImageStore('main')
        await write(
          'a',
          SCRATCH,
          layerTar({ 'd/': '', 'd/kept': '1', old: '2' }),
        )
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
  })
}

/** The names of a tar's entries, in its order. */
function namesIn(tar: Buffer): readonly string[] {
  const names: string[] = []
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const text = (from: number, length: number): string =>
      tar
        .toString('latin1', at + from, at + from + length)
        .replace(/\0.*$/s, '')
    const type = text(156, 1)
    if (type !== 'x' && type !== 'g') names.push(text(0, 100))
    const size = Number.parseInt(text(124, 12), 8)
    at += 512 + Math.ceil(size / 512) * 512
  }
  return names
}
