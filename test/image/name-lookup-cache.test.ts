import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { NameLookupCache } from '../../src/image/name-lookup-cache.ts'
import { StoreRegistry } from '../../src/storage/store-registry.ts'
import { describeImageStorer } from '../contracts/describe-image-storer.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { noFaults } from '../support/faulty.ts'
import { type OpenedImages, openImages } from '../support/open-images.ts'
import { SHARED_MEMORY, useTempDir } from '../../src/conformance/temp-dir.ts'

describeImageStorer(
  'a lookup cache over a driver that takes its time',
  async (home, limits) => {
    const faults = noFaults()
    const { storer, close } = await openImages(home, { ...limits, faults })
    faults.before = () => sleep(Math.random() * 4)
    faults.after = () => sleep(Math.random() * 4)
    return { storer: new NameLookupCache(storer, new StoreRegistry()), close }
  },
  { on: ['root'] },
)

describe('NameLookupCache', () => {
  needs('root')
  let images: OpenedImages
  let registry: StoreRegistry
  let cache: NameLookupCache

  afterEach(() => images.close())
  const home = useTempDir(() => SHARED_MEMORY)

  beforeEach(async () => {
    images = await openImages(home.path)
    registry = new StoreRegistry()
    cache = new NameLookupCache(images.storer, registry)
  })

  it('registers each store it knows, and forgets those that go', async () => {
    await cache.createImageStore('a')
    await cache.createImageStore('b')
    const keys = ['images/a', 'images/b']
    expect(registry.getExporters()).to.deep.equal(keys)
    expect(registry.getImporters()).to.deep.equal(keys)
    await cache.deleteImageStore('a')
    await cache.repairImageStore('b')
    expect(registry.getExporters()).to.deep.equal(['images/b'])
    cache[Symbol.dispose]()
    expect(registry.getExporters()).to.deep.equal([])
  })

  it('knows a store by one memory, whoever asks and how often', async () => {
    await images.storer.createImageStore('main')
    const [one, other] = await Promise.all([
      cache.getImageStore('main'),
      cache.getImageStore('main'),
    ])
    expect(one).to.equal(other)
  })
})
