import { join } from 'node:path'
import { expect } from 'chai'
import { SILENT } from '../../src/base/log.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { readAddedStores, Stores } from '../../src/operations/stores.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'

describe('Stores that are added', () => {
  const directory = useTempDir()
  const configured = parseStoreSpecs('default=local:')
  let volumes: VolumeLookupCache

  beforeEach(async () => {
    const options = { dataRoot: directory.path, log: SILENT }
    volumes = await VolumeLookupCache.open({
      ...options,
      stores: configured.map((spec) => storeSource(spec, options)),
    })
  })
  afterEach(() => volumes?.close())

  const open = (visible?: string): Stores =>
    new Stores({
      dataRoot: directory.path,
      configured,
      added: [],
      volumes,
      visible,
      log: SILENT,
    })

  it('are where they are told to be, and are remembered', async () => {
    const more = join(directory.path, 'more')
    const { path, origin } = await open().add(`more=local:${more}`)
    expect([path, origin]).to.deep.equal([more, 'added'])
    const added = await readAddedStores(directory.path, configured)
    expect(added.map(({ spec }) => spec.name)).to.deep.equal(['more'])
  })

  it('are refused in a plugin where Docker does not see them', async () => {
    const visible = join(directory.path, 'volumes')
    const stores = open(visible)
    const refusal = await stores
      .add(`more=local:${directory.path}/elsewhere`)
      .catch((error: Error) => error.message)
    expect(refusal).to.match(/Docker does not see.*mount its disk at/)
    expect(await readAddedStores(directory.path, configured)).to.deep.equal([])
    await stores.add('more=local:')
    await stores.add(`other=local:${visible}/other`)
    const names = stores.list().map(({ name }) => name)
    expect(names).to.deep.equal(['default', 'more', 'other'])
  })
})
