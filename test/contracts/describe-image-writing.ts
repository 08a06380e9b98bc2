import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { InUseError, InvalidArgumentError } from '../../src/base/errors.ts'
import {
  DigestMismatchError,
  ImageNotFoundError,
} from '../../src/image/image-errors.ts'
import { type ImageStore } from '../../src/image/image-store.ts'
import { SCRATCH } from '../../src/image/image.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { layerTar, tarOf } from '../support/layer-tar.ts'
import type { ImageSuite } from './use-image-storer.ts'

/** What an image store promises about writing images; a part of `describeImageStorer`. */
export function describeImageWriting(suite: ImageSuite): void {
  const { reopen, write, ids } = suite
  describe('writing', () => {
    let store: ImageStore

    beforeEach(async () => {
      store = await suite.storer.createImageStore('main')
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
      const again = await suite.storer.getImageStore('main')
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

    it('knows no image by an id that would lead elsewhere', async () => {
      await write('base')
      for (const id of ['../images/base', 'base/', '.', '']) {
        await expectRejection(store.getImage(id), ImageNotFoundError)
        await expectRejection(store.deleteImage(id), ImageNotFoundError)
        await expectRejection(store.export(id), ImageNotFoundError)
        await expectRejection(write('child', id), ImageNotFoundError)
      }
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
        store.writeImage({ id: 'base', parent: SCRATCH, digest }, tar.stream()),
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
      await expectRejection(write('base', SCRATCH, text), InvalidArgumentError)
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
      await expectRejection(write('base', SCRATCH, other), DigestMismatchError)
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
}
