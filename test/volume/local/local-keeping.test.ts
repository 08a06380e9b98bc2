import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  NotFoundError,
  NotSupportedError,
  UnavailableError,
} from '../../../src/base/errors.ts'
import { inParallel } from '../../../src/base/in-parallel.ts'
import type { FolderStore } from '../../../src/volume/folder-store.ts'
import { LocalKeeping } from '../../../src/volume/local/local-keeping.ts'
import { VolumeExistsError } from '../../../src/volume/volume-errors.ts'
import { parseVolumeOptions } from '../../../src/volume/volume-options.ts'
import { describeVolumeStorer } from '../../../src/conformance/describe-volume-storer.ts'
import { needs } from '../../../src/conformance/capabilities.ts'
import { expectRejection } from '../../../src/conformance/expect-rejection.ts'
import { storeKeptBy } from '../../support/open-store.ts'
import { useTempDir } from '../../../src/conformance/temp-dir.ts'

/** What stands in the directory of a store with nothing left over. */
const OWN = ['format', 'lock', 'volumes']

const openLocal = storeKeptBy(async () => new LocalKeeping())

describeVolumeStorer('local', openLocal, { on: ['root'] })

describe('The local store', () => {
  needs('root')
  const stores: FolderStore[] = []
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close()
  })
  const home = useTempDir()
  const open = async (
    directory: string,
    isKnown = false,
  ): Promise<FolderStore> => {
    const store = await openLocal(directory, isKnown)
    stores.push(store)
    return store
  }
  const none = parseVolumeOptions({})
  const inVolume = (...path: string[]): string =>
    join(home.path, 'volumes', ...path)

  it('sweeps what a crash left half made or half removed', async () => {
    for (const leftover of ['new-1', 'rm-1']) {
      await fs.mkdir(join(home.path, leftover, 'data'), { recursive: true })
    }
    await fs.writeFile(join(home.path, 'new-2-volume.json'), '{')
    const store = await openLocal(home.path)
    await store.close()
    expect(await fs.readdir(home.path)).to.have.members(OWN)
  })

  it('sweeps also what a crash left whole but for its place: nobody was told of it', async () => {
    const before = await openLocal(home.path)
    await before.create('a', none)
    await before.close()
    await fs.rename(inVolume('a'), join(home.path, 'new-1'))
    const store = await openLocal(home.path)
    expect(await store.list()).to.deep.equal({ volumes: [], problems: [] })
    await store.close()
    expect(await fs.readdir(home.path)).to.have.members(OWN)
  })

  it('leaves nothing beside the volumes when it refuses a name', async () => {
    const store = await open(home.path)
    await store.create('db', none)
    await expectRejection(store.create('db', none), VolumeExistsError)
    expect(await fs.readdir(home.path)).to.have.members(OWN)
    expect(await fs.readdir(inVolume())).to.deep.equal(['db'])
  })

  it('leaves nothing when a volume cannot be made', async () => {
    const store = await open(home.path)
    await fs.rm(inVolume(), { recursive: true })
    await expectRejection(store.create('db', none), Error, /ENOENT/)
    expect(await fs.readdir(home.path)).to.have.members(['format', 'lock'])
  })

  it('reports damaged records one by one, and neither hides nor changes them', async () => {
    const store = await open(home.path)
    for (const name of ['good', 'cut', 'foreign', 'newer', 'lost', 'odd']) {
      await store.create(name, none)
    }
    const record = await fs.readFile(inVolume('good', 'volume.json'), 'utf8')
    const damage = {
      cut: record.slice(0, 20),
      foreign: record,
      newer: record
        .replace('"format": 1', '"format": 9')
        .replace('good', 'newer'),
      odd: record
        .replace('good', 'odd')
        .replace('"options": {}', '"options": { "colour": "red" }'),
    }
    for (const [name, text] of Object.entries(damage)) {
      await fs.writeFile(inVolume(name, 'volume.json'), text)
    }
    await fs.rm(inVolume('lost', 'volume.json'))
    // Volumes of older versions have none.
    for (const name of ['cut', 'lost']) {
      await fs.rm(inVolume(name, 'volume.json.copy'))
    }
    await fs.mkdir(inVolume('lost+found'))
    await fs.writeFile(inVolume('file'), '')

    const { volumes, problems } = await store.list()
    expect(volumes.map(({ name }) => name)).to.deep.equal(['good'])
    const reasons = Object.fromEntries(
      problems.map(({ name, reason }) => [name, reason]),
    )
    expect(reasons).to.have.all.keys(
      'cut',
      'foreign',
      'newer',
      'lost',
      'odd',
      'file',
      'lost+found',
    )
    expect(reasons.cut).to.match(/not JSON/)
    expect(reasons.foreign).to.match(/"name"/)
    expect(reasons.newer).to.match(/format 9/)
    expect(reasons.lost).to.match(/missing/)
    expect(reasons.odd).to.match(/colour/)

    for (const [name, text] of Object.entries(damage)) {
      await expectRejection(store.create(name, none), VolumeExistsError)
      expect(await fs.readFile(inVolume(name, 'volume.json'), 'utf8')).to.equal(
        text,
      )
    }
    await expectRejection(store.create('file', none), VolumeExistsError)
  })

  it('reports a record that can neither be read nor written anew, and hides no other', async () => {
    const store = await open(home.path)
    for (const name of ['bad', 'good']) await store.create(name, none)
    const record = inVolume('bad', 'volume.json')
    await fs.rm(record)
    await fs.mkdir(record)
    const { volumes, problems } = await store.list()
    expect(volumes.map(({ name }) => name)).to.deep.equal(['good'])
    expect(problems.map(({ name }) => name)).to.deep.equal(['bad'])
    expect(problems[0]?.reason).to.match(/EISDIR/)
  })

  it('writes a record anew that is cut, empty or lost, tells of it, and keeps what was there', async () => {
    const store = await open(home.path)
    const typed = { 'label.team': 'red', protect: '' }
    const names = ['cut', 'empty', 'lost']
    for (const name of names) {
      await store.create(name, parseVolumeOptions({}))
      await store.amend(name, parseVolumeOptions(typed))
    }
    const record = (name: string): string => inVolume(name, 'volume.json')
    await fs.truncate(record('cut'), 20)
    await fs.truncate(record('empty'), 0)
    await fs.rm(record('lost'))

    const { volumes, problems, repairs } = await store.list()
    expect(problems).to.deep.equal([])
    expect(volumes.map(({ name }) => name)).to.have.members(names)
    for (const { options } of volumes) {
      expect(options.typed).to.deep.equal(typed)
    }
    expect(repairs?.map(({ name }) => name)).to.have.members(names)
    const inside = await fs.readdir(inVolume('cut'))
    const [aside = ''] = inside.filter((name) => name.includes('damaged'))
    expect((await fs.stat(inVolume('cut', aside))).size).to.equal(20)
    expect(await store.list()).to.not.have.property('repairs')
  })

  it('says so when a volume has lost its files', async () => {
    const store = await open(home.path)
    await store.create('db', none)
    await fs.rm(inVolume('db', 'data'), { recursive: true })
    await expectRejection(store.mount('db'), NotFoundError, /lost its files/)
    await store.remove('db')
  })

  it('refuses a directory that a newer version wrote', async () => {
    await fs.writeFile(join(home.path, 'format'), 'local 99\n')
    for (const _attempt of ['first', 'second']) {
      await expectRejection(open(home.path), NotSupportedError, /edition 99/)
    }
    expect(await fs.readdir(home.path)).to.have.members(['format', 'lock'])
  })

  it('is away, and not new, where a known store is not found', async () => {
    await expectRejection(
      open(join(home.path, 'mnt'), true),
      UnavailableError,
      /held a volume store and does not now/,
    )
    expect(await fs.readdir(home.path)).to.deep.equal([])
    await openLocal(home.path).then((store) => store.close())
    await open(home.path, true)
  })

  it('has a directory to itself', async () => {
    await open(home.path)
    await expectRejection(
      open(home.path),
      UnavailableError,
      /in use by another/,
    )
  })

  it('refuses capacity with a reason', async () => {
    const { capabilities } = await open(home.path)
    expect(capabilities.capacity).to.deep.equal({
      because: 'a plain directory cannot be kept from growing',
    })
  })

  it('lets a mapped root walk down to its volume', async () => {
    const directory = join(home.path, 'store')
    const store = await open(directory)
    const { mountpoint } = await store.create('db', none)
    let path = directory
    for (const part of ['.', 'volumes', 'db']) {
      path = join(path, part)
      expect((await fs.stat(path)).mode & 0o777, path).to.equal(0o711)
    }
    expect((await fs.stat(mountpoint)).mode & 0o7777).to.equal(0o755)
  })

  it('finds its mounts where the way to it goes over a link', async () => {
    const real = join(home.path, 'real')
    await fs.mkdir(real)
    await fs.symlink(real, join(home.path, 'link'))
    const store = await open(join(home.path, 'link'))
    const volume = await store.create('db', parseVolumeOptions({ ro: '' }))
    await store.mount('db')
    expect((await store.mounted([volume])).get('db')).to.equal(true)
    await store.unmount('db')
    expect((await store.mounted([volume])).get('db')).to.equal(false)
  })

  it('lists 10,000 volumes, and misses none', async function () {
    this.timeout(120_000)
    const store = await open(home.path)
    await store.create('v', none)
    const record = await fs.readFile(inVolume('v', 'volume.json'), 'utf8')
    await inParallel([...Array(9_999).keys()], 16, async (index) => {
      await fs.mkdir(inVolume(`v${index}`))
      await fs.writeFile(
        inVolume(`v${index}`, 'volume.json'),
        record.replace('"v"', `"v${index}"`),
      )
    })
    const { volumes } = await store.list()
    expect(new Set(volumes.map(({ name }) => name)).size).to.equal(10_000)
    await fs.rm(inVolume(), { recursive: true })
  })
})
