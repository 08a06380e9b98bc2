import { Readable } from 'node:stream'
import { expect } from 'chai'
import { InvalidArgumentError, NotFoundError } from '../../src/base/errors.ts'
import { deleteBranch } from '../../src/image/delete-branch.ts'
import {
  ImageInUseError,
  ImageNotFoundError,
} from '../../src/image/image-errors.ts'
import { type ImageStore } from '../../src/image/image-store.ts'
import { SCRATCH } from '../../src/image/image.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { layerTar } from '../support/layer-tar.ts'
import type { ImageSuite } from './use-image-storer.ts'

/** What an image store promises about deleting images; a part of `describeImageStorer`. */
export function describeImageDeleting(suite: ImageSuite): void {
  const { reopen, write, writeBranches, ids } = suite
  describe('deleting', () => {
    let store: ImageStore

    beforeEach(async () => {
      store = await suite.storer.createImageStore('main')
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
      await expectRejection(deleteBranch(store, SCRATCH), InvalidArgumentError)
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
}
