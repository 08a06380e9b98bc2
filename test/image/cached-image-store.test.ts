import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { CachedImageStore } from '../../src/image/cached-image-store.ts'
import {
  DigestMismatchError,
  ImageNotFoundError,
} from '../../src/image/image-errors.ts'
import type { ImageStore } from '../../src/image/image-store.ts'
import { SCRATCH } from '../../src/image/image.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { type Faults, faulty, noFaults } from '../support/faulty.ts'
import { layerTar, tarOf } from '../support/layer-tar.ts'
import { type OpenedImages, openImages } from '../support/open-images.ts'
import { SHARED_MEMORY, useTempDir } from '../../src/conformance/temp-dir.ts'

describe('CachedImageStore', () => {
  needs('root')
  let images: OpenedImages
  let faults: Faults
  let calls: string[]
  let behind: ImageStore
  let cached: CachedImageStore

  afterEach(() => images.close())
  const home = useTempDir(() => SHARED_MEMORY)
  const tar = layerTar({ file: 'content' })

  const write = (store: ImageStore, id: string, parent: string = SCRATCH) =>
    store.writeImage({ id, parent, digest: tar.digest }, tar.stream())

  beforeEach(async () => {
    images = await openImages(home.path)
    behind = await images.storer.createImageStore('main')
    calls = []
    faults = noFaults()
    faults.before = (call) => void calls.push(call)
    cached = new CachedImageStore(faulty(behind, faults))
  })

  it('answers from memory once it has read the store', async () => {
    const a = await write(cached, 'a')
    await cached.listImages()
    calls.length = 0
    expect(await cached.getImage('a')).to.equal(a)
    expect((await cached.listImages()).images).to.deep.equal([a])
    expect(await cached.usage()).to.equal(a.size)
    expect(await write(cached, 'a')).to.equal(a)
    expect(calls).to.deep.equal([])
  })

  it('reads the store once, however many ask at the same time', async () => {
    await write(behind, 'a')
    await Promise.all(Array.from({ length: 10 }, () => cached.listImages()))
    expect(calls).to.deep.equal(['listImages'])
  })

  it('does not take a store that cannot be read for an empty one', async () => {
    await write(behind, 'a')
    await write(behind, 'b', 'a')
    faults.before = () => {
      throw new Error('disk on fire')
    }
    await expectRejection(cached.listImages(), Error, /disk on fire/)
    await expectRejection(cached.getImage('a'), Error, /disk on fire/)
    faults.before = () => undefined
    const { images: found } = await cached.listImages()
    expect(found.map(({ id }) => id)).to.deep.equal(['a', 'b'])
  })

  it('asks the store for what it does not remember, and remembers that', async () => {
    await cached.listImages()
    const a = await write(behind, 'a')
    expect(await cached.getImage('a')).to.deep.equal(a)
    calls.length = 0
    await cached.getImage('a')
    expect(calls).to.deep.equal([])
    await expectRejection(cached.getImage('b'), ImageNotFoundError)
  })

  it('finds out what other hands did when it is told to look', async () => {
    await write(cached, 'a')
    await write(behind, 'b')
    await behind.deleteImage('a')
    const { images: found } = await cached.refresh()
    expect(found.map(({ id }) => id)).to.deep.equal(['b'])
  })

  it('forgets an image that had vanished behind its back', async () => {
    await write(cached, 'a')
    await behind.deleteImage('a')
    await expectRejection(cached.deleteImage('a'), ImageNotFoundError)
    expect((await cached.listImages()).images).to.deep.equal([])
  })

  it('keeps what is written or deleted while it reads the store', async () => {
    await write(behind, 'old')
    const gate = new AbortController()
    faults.after = async (call) => {
      if (call === 'listImages') await once(gate.signal, 'abort')
    }
    const listing = cached.listImages()
    await sleep(20)
    const [written, deleted] = [write(behind, 'new'), behind.deleteImage('old')]
    await Promise.all([written, deleted])
    const asked = [cached.getImage('new'), cached.deleteImage('old')]
    gate.abort()
    await Promise.allSettled([listing, ...asked])
    const { images: found } = await cached.listImages()
    expect(found.map(({ id }) => id)).to.deep.equal(['new'])
  })

  it('still has an image whose deletion failed', async () => {
    await write(cached, 'a')
    faults.before = (call) => {
      if (call === 'deleteImage') throw new Error('disk on fire')
    }
    await expectRejection(cached.deleteImage('a'), Error, /disk on fire/)
    expect((await cached.getImage('a')).id).to.equal('a')
    expect((await cached.listImages()).images).to.have.lengthOf(1)
  })

  it('compares the digest with that of the image it remembers', async () => {
    await write(cached, 'a')
    const { digest, stream } = tarOf(Buffer.alloc(1024))
    const draft = { id: 'a', parent: SCRATCH, digest }
    await expectRejection(
      cached.writeImage(draft, stream()),
      DigestMismatchError,
    )
  })

  it('does not remember an image that could not be written', async () => {
    const draft = { id: 'a', parent: SCRATCH, digest: 'nonsense' }
    await expectRejection(
      cached.writeImage(draft, tar.stream()),
      InvalidArgumentError,
    )
    await expectRejection(cached.getImage('a'), ImageNotFoundError)
  })
})
