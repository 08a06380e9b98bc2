import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import type { FolderStore } from '../../src/volume/folder-store.ts'
import { LocalKeeping } from '../../src/volume/local/local-keeping.ts'
import { parseVolumeOptions } from '../../src/volume/volume-options.ts'
import { storeKeptBy } from '../support/open-store.ts'

const openLocal = storeKeptBy(async () => new LocalKeeping())

describe('The trash of a store', () => {
  needs('root')
  const home = useTempDir()
  let store: FolderStore

  beforeEach(async () => {
    store = await openLocal(home.path)
    await store.create('db', parseVolumeOptions({}))
  })
  afterEach(() => store.close())

  async function names(): Promise<readonly string[]> {
    const { volumes } = await store.trash!.list()
    return volumes.map(({ name }) => name)
  }

  /** Makes a record what it is while its volume gets another name. */
  async function giveTwoNames(
    directory: string,
    [name, formerly]: readonly [string, string],
  ): Promise<void> {
    const path = join(home.path, directory, 'volume.json')
    const fields = JSON.parse(await fs.readFile(path, 'utf8'))
    await fs.writeFile(path, JSON.stringify({ ...fields, name, formerly }))
  }

  it('calls a volume what it was called, though a crash cut its renaming short', async () => {
    await giveTwoNames('volumes/db', ['base', 'db'])
    await store.trash!.put('db')
    expect(await names()).to.deep.equal(['db'])
  })

  it('calls a volume what it was called, though a crash kept it from coming back by another name', async () => {
    const { id } = await store.trash!.put('db')
    await giveTwoNames(`trash/${id}`, ['db', 'base'])
    expect(await names()).to.deep.equal(['db'])
    expect(await store.trash!.restore(id, 'base')).to.include({ name: 'base' })
    await store.trash!.put('base')
    expect(await names()).to.deep.equal(['base'])
  })

  it('tells who held a volume when it was last removed, and not who did before', async () => {
    const { id } = await store.trash!.put('db', { holders: ['web'] })
    const note = await fs.readFile(join(home.path, 'trash', id, 'holders.json'))
    await store.trash!.restore(id, 'db')
    // As a crash right after it came back would have left it.
    await fs.writeFile(join(home.path, 'volumes/db/holders.json'), note)
    await store.trash!.put('db')
    const { volumes } = await store.trash!.list()
    expect(volumes[0]?.holders).to.deep.equal([])
  })
})
