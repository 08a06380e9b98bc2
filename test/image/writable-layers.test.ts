import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import {
  AlreadyExistsError,
  InUseError,
  InvalidArgumentError,
  NotFoundError,
} from '../../src/base/errors.ts'
import { ImageNotFoundError } from '../../src/image/image-errors.ts'
import type { LayerImageStore } from '../../src/image/layer-image-store.ts'
import { SCRATCH } from '../../src/image/image.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'
import { layerTar, tarOf } from '../support/layer-tar.ts'
import { type OpenedImages, openImages } from '../support/open-images.ts'
import { readTar } from '../support/read-tar.ts'
import { SHARED_MEMORY, useTempDir } from '../../src/conformance/temp-dir.ts'

describe('WritableLayers', () => {
  needs('root')
  let images: OpenedImages
  let store: LayerImageStore

  afterEach(() => images.close())
  const home = useTempDir(() => SHARED_MEMORY)

  beforeEach(async () => {
    images = await openImages(home.path)
    store = await images.storer.createImageStore('main')
    const tar = layerTar({ 'd/': '', 'd/base': '1', old: '2' })
    await store.writeImage(
      { id: 'base', parent: SCRATCH, digest: tar.digest },
      tar.stream(),
    )
  })

  const load = (id: string, names: readonly string[]): Promise<unknown> => {
    const tar = forgeTar(...names.map((name) => ({ name, content: name })))
    return store.writable.import(id, Readable.from([tar]))
  }

  it('record their image, what it was called, and when, for good', async () => {
    const repository = 'debian:12'
    const joined = await store.writable.join('c1', {
      image: 'base',
      repository,
    })
    expect(joined).to.include({ id: 'c1', image: 'base', repository })
    await images.close()
    images = await openImages(home.path)
    store = await images.storer.getImageStore('main')
    expect(await store.writable.get('c1')).to.deep.equal(joined)
    expect(await store.writable.list()).to.deep.equal(['c1'])
  })

  it('show what the image shows, and take what is written to them alone', async () => {
    await store.writable.join('c1', { image: 'base' })
    await store.writable.join('c2', { image: 'base' })
    await load('c1', ['d/new'])
    expect(await namesIn(await store.writable.export('c1'))).to.deep.equal([
      './',
      'd/',
      'd/base',
      'd/new',
      'old',
    ])
    expect(await namesIn(await store.writable.export('c2'))).to.not.include(
      'd/new',
    )
    expect(await namesIn(await store.export('base'))).to.not.include('d/new')
  })

  it('become an image by their difference to the one they lie on', async () => {
    await store.writable.join('c1', { image: 'base' })
    await load('c1', ['d/new'])
    const changes = await store.writable.export('c1', { ancestor: 'base' })
    const tar = tarOf(await buffer(changes))
    expect(await namesIn(tar.stream())).to.include('d/new')
    await store.writeImage(
      { id: 'committed', parent: 'base', digest: tar.digest },
      tar.stream(),
    )
    const [one, other] = [
      await namesIn(await store.export('committed')),
      await namesIn(await store.writable.export('c1')),
    ]
    expect(one).to.deep.equal(other)
  })

  it('lie on scratch too', async () => {
    await store.writable.join('c1', { image: SCRATCH })
    await load('c1', ['f'])
    const names = await namesIn(await store.writable.export('c1'))
    expect(names).to.deep.equal(['./', 'f'])
  })

  it('are refused a name that is taken or cannot be, and an image that is not there', async () => {
    const { writable } = store
    await writable.join('c1', { image: 'base' })
    await expectRejection(
      writable.join('c1', { image: 'base' }),
      AlreadyExistsError,
      /"c1" already exists/,
    )
    await expectRejection(
      writable.join('../c2', { image: 'base' }),
      InvalidArgumentError,
    )
    await expectRejection(
      writable.join('c2', { image: 'absent' }),
      ImageNotFoundError,
    )
    expect(await writable.list()).to.deep.equal(['c1'])
    const drafts = await fs.readdir(join(home.path, 'images/drafts'))
    expect(drafts).to.deep.equal([])
  })

  it('stay while they are read, and then go with their layers', async () => {
    const graph = join(home.path, 'graph/layers')
    const before = (await fs.readdir(graph)).toSorted()
    await store.writable.join('c1', { image: 'base' })
    const source = await store.writable.openSource('c1')
    await expectRejection(store.writable.remove('c1'), InUseError, /"c1"/)
    await source.close()
    await store.writable.remove('c1')
    expect((await fs.readdir(graph)).toSorted()).to.deep.equal(before)
    await expectRejection(store.writable.remove('c1'), NotFoundError)
    await store.deleteImage('base')
  })

  it('that do not exist are told to be absent, whatever the name', async () => {
    const { writable } = store
    for (const absent of ['absent', '..', '', 'a/b']) {
      for (const asked of [
        () => writable.get(absent),
        () => writable.export(absent),
        () => writable.export(absent, { ancestor: 'base' }),
        () => writable.openSink(absent),
        () => writable.remove(absent),
      ]) {
        await expectRejection(asked(), NotFoundError)
      }
    }
  })
})

async function namesIn(tar: Readable): Promise<readonly string[]> {
  return readTar(await buffer(tar)).map(({ name }) => name)
}
