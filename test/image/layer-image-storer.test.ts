import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { NotSupportedError } from '../../src/base/errors.ts'
import {
  DamagedImageError,
  ImageInUseError,
  ImageStoreExistsError,
} from '../../src/image/image-errors.ts'
import type { ImageStore } from '../../src/image/image-store.ts'
import { type Image, SCRATCH } from '../../src/image/image.ts'
import { LayerImageStorer } from '../../src/image/layer-image-storer.ts'
import { OverlayLayers } from '../../src/graph/overlay/overlay-layers.ts'
import { describeImageStorer } from '../contracts/describe-image-storer.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { atCall, noFaults } from '../support/faulty.ts'
import { layerTar } from '../support/layer-tar.ts'
import {
  type OpenedImages,
  openImages,
  type OpenImagesOptions,
} from '../support/open-images.ts'
import { SHARED_MEMORY, useTempDir } from '../../src/conformance/temp-dir.ts'

const run = promisify(execFile)

describeImageStorer(
  'overlay',
  (home, limits) =>
    openImages(home, { ...limits, layers: (on) => OverlayLayers.open(on) }),
  { on: ['root', 'overlay'] },
)

describe('LayerImageStorer', () => {
  needs('root')
  let images: OpenedImages

  afterEach(() => images.close())
  const home = useTempDir(() => SHARED_MEMORY)
  const tar = layerTar({ file: 'content' })

  const reopen = async (options?: OpenImagesOptions): Promise<ImageStore> => {
    await images.close()
    images = await openImages(home.path, options)
    return images.storer.getImageStore('main')
  }

  const write = (id: string, parent: string = SCRATCH): Promise<Image> =>
    store.writeImage({ id, parent, digest: tar.digest }, tar.stream())

  /** Where something of the store `main` is kept. */
  const place = (...names: readonly string[]): string =>
    join(home.path, 'images/stores/main', ...names)

  const namesOf = async (directory: string): Promise<readonly string[]> =>
    (await fs.readdir(join(home.path, directory))).toSorted()

  /** Layers that the driver keeps. */
  const layers = (): Promise<readonly string[]> => namesOf('graph/layers')

  let store: ImageStore

  beforeEach(async () => {
    images = await openImages(home.path)
    store = await images.storer.createImageStore('main')
  })

  describe('with a driver that fails', () => {
    for (const moment of ['before', 'after'] as const) {
      for (const number of [1, 2]) {
        it(`leaves no trace when writing fails ${moment} call ${number}, and writes then`, async () => {
          const before = await layers()
          const faults = noFaults()
          store = await reopen({ faults })
          faults[moment] = atCall(number, (call) => {
            throw new Error(`${call} failed`)
          })
          await expectRejection(write('a'), Error, /failed/)
          faults[moment] = () => undefined
          expect(await store.listImages()).to.deep.equal({
            images: [],
            missing: [],
            problems: [],
          })
          expect(await store.usage()).to.equal(0)
          expect(await layers()).to.deep.equal(before)
          expect(await namesOf('images/drafts')).to.deep.equal([])
          expect((await write('a')).id).to.equal('a')
        })
      }
    }

    it('sweeps later what it could not clear away at once', async () => {
      const before = await layers()
      const faults = noFaults()
      store = await reopen({ faults })
      faults.after = atCall(2, () => {
        throw new Error('apply failed')
      })
      faults.before = (call) => {
        if (call === 'remove') throw new Error('remove failed')
      }
      await expectRejection(write('a'), Error, /apply failed/)
      expect(await namesOf('images/drafts')).to.have.lengthOf(1)
      store = await reopen()
      expect(await namesOf('images/drafts')).to.deep.equal([])
      expect(await layers()).to.deep.equal(before)
    })

    it('has deleted an image whose layer cannot be removed yet, and removes it later', async () => {
      const before = await layers()
      const faults = noFaults()
      store = await reopen({ faults })
      await write('a')
      faults.before = (call) => {
        if (call === 'remove') throw new Error('remove failed')
      }
      await store.deleteImage('a')
      expect((await store.listImages()).images).to.deep.equal([])
      faults.before = () => undefined
      await images.storer.sweep()
      expect(await layers()).to.deep.equal(before)
      expect(await namesOf('images/removed')).to.deep.equal([])
    })

    it('creates no store when its scratch cannot be made, and does then', async () => {
      const faults = noFaults()
      await reopen({ faults })
      faults.before = (call) => {
        if (call === 'create') throw new Error('disk full')
      }
      const creating = images.storer.createImageStore('other')
      await expectRejection(creating, Error, /disk full/)
      expect(await images.storer.listImageStores()).to.have.lengthOf(1)
      faults.before = () => undefined
      await images.storer.createImageStore('other')
    })
  })

  describe('with a writer that is killed', () => {
    const writer = fileURLToPath(
      new URL('../support/image-writer.js', import.meta.url),
    )

    for (const moment of [
      ['before', '1'],
      ['before', '2'],
      ['during'],
      ['after', '1'],
      ['after', '2'],
    ]) {
      it(`shows nothing half made after a death ${moment.join(' call ')}`, async () => {
        const before = await layers()
        await images.close()
        await expectRejection(
          run(process.execPath, [writer, home.path, ...moment]),
          Error,
        )
        images = await openImages(home.path)
        store = await images.storer.getImageStore('main')
        const { images: found, problems } = await store.listImages()
        expect(found).to.deep.equal([])
        expect(problems).to.deep.equal([])
        expect(await layers()).to.deep.equal(before)
        expect((await write('new')).id).to.equal('new')
      })
    }

    it('has the image when the writer ends well', async () => {
      await images.close()
      const { stdout } = await run(process.execPath, [writer, home.path, 'no'])
      expect(stdout).to.equal('written')
      images = await openImages(home.path)
      store = await images.storer.getImageStore('main')
      expect((await store.getImage('new')).depth).to.equal(1)
    })
  })

  it('never sweeps what somebody is writing', async () => {
    const slow = new Readable({ read: () => undefined })
    slow.push(tar.bytes.subarray(0, 512))
    const draft = { id: 'a', parent: SCRATCH, digest: tar.digest }
    const writing = store.writeImage(draft, slow)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await images.storer.sweep()
    expect(await namesOf('images/drafts')).to.have.lengthOf(1)
    slow.push(tar.bytes.subarray(512))
    slow.push(null)
    expect((await writing).id).to.equal('a')
    expect(await namesOf('images/drafts')).to.deep.equal([])
  })

  it('refuses a directory that a newer version wrote', async () => {
    await fs.writeFile(join(home.path, 'images/format'), 'images 9\n')
    await expectRejection(
      LayerImageStorer.open({
        root: join(home.path, 'images'),
        driver: images.driver,
      }),
      NotSupportedError,
      /"images" in edition 9/,
    )
  })

  describe('with damage on the disk', () => {
    it('reports a record that cannot be read, and shows the others', async () => {
      for (const id of ['a', 'b', 'c']) await write(id)
      await fs.writeFile(place('images/b/image.json'), '{"format":1')
      const listing = await store.listImages()
      expect(listing.images.map(({ id }) => id)).to.deep.equal(['a', 'c'])
      expect(listing.problems.map(({ id }) => id)).to.deep.equal(['b'])
      await expectRejection(store.getImage('b'), DamagedImageError, /"b" is/)
    })

    it('keeps a damaged record when its image is deleted, or written again', async () => {
      await write('a')
      await write('b')
      await fs.writeFile(place('images/a/image.json'), '{}')
      await fs.rm(place('images/b/image.json'))
      await store.deleteImage('a')
      expect((await write('b')).id).to.equal('b')
      expect((await store.listImages()).problems).to.deep.equal([])
      expect(await namesOf('images/damaged')).to.have.lengthOf(2)
    })

    it('reports an image whose layer is gone, and writes it anew', async () => {
      await write('a')
      const record = await fs.readFile(place('images/a/image.json'), 'utf8')
      await images.driver.remove(JSON.parse(record).layer)
      const { problems } = await store.listImages()
      expect(problems.map(({ id }) => id)).to.deep.equal(['a'])
      await write('a')
      expect((await store.listImages()).problems).to.deep.equal([])
    })

    it('reports an image whose parent is missing, and keeps it', async () => {
      await write('a')
      await write('b', 'a')
      await fs.rename(place('images/a'), join(home.path, 'away'))
      const { images: found, problems } = await store.listImages()
      expect(found.map(({ id }) => id)).to.deep.equal(['b'])
      expect(problems).to.deep.equal([
        { id: 'b', message: 'Image "b" lies on "a", which does not exist' },
      ])
    })

    it('does not write an image anew while others lie on it', async () => {
      await write('a')
      await write('b', 'a')
      await fs.writeFile(place('images/a/image.json'), '{}')
      await expectRejection(write('a'), ImageInUseError, /image "b"/)
      await expectRejection(store.deleteImage('a'), ImageInUseError)
    })

    for (const what of ['images/scratch', 'store.json', 'images']) {
      it(`repairs a store that lost ${what} on request, and never wipes it`, async () => {
        const { storer } = images
        await write('a')
        const isAll = what === 'images'
        if (isAll) await store.deleteImage('a')
        await fs.rm(place(what), { recursive: true })
        await expectRejection(
          storer.getImageStore('main'),
          DamagedImageError,
          /"main" is damaged/,
        )
        await expectRejection(
          storer.createImageStore('main'),
          ImageStoreExistsError,
        )
        store = await storer.repairImageStore('main')
        const { images: found } = await store.listImages()
        expect(found.map(({ id }) => id)).to.deep.equal(isAll ? [] : ['a'])
        await write('b')
      })
    }
  })

  it('keeps an image that somebody else needs, and names them', async () => {
    await images.close()
    images = await openImages(home.path)
    store = await images.storer.getImageStore('main')
    await write('a')
    const layer = await images.storer
      .getImageStore('main')
      .then(({ writable }) => writable.join('c1', { image: 'a' }))
    expect(layer.image).to.equal('a')
    await expectRejection(
      store.deleteImage('a'),
      ImageInUseError,
      /"a" is in use by writable layer "c1"/,
    )
  })
})
