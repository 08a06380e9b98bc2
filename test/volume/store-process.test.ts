import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { SILENT } from '../../src/base/log.ts'
import { UnavailableError } from '../../src/base/errors.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { describeVolumeStorer } from '../../src/conformance/describe-volume-storer.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { StoreProcess } from '../../src/volume/store-process.ts'
import { parseVolumeOptions } from '../../src/volume/volume-options.ts'
import { formatRecord } from '../../src/volume/volume-record.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'
import {
  type ServedDirectory,
  serveDirectory,
} from '../support/served-directory.ts'

function open(directory: string): Promise<StoreProcess> {
  return StoreProcess.open({
    name: 'default',
    kind: 'local',
    directory,
    parameters: {},
    isKnown: false,
    log: SILENT,
  })
}

describeVolumeStorer('local, in a process of its own,', open)

describe('A store on a filesystem with a server', () => {
  needs('root', 'bindfs')
  let served: ServedDirectory
  let store: StoreProcess | undefined
  afterEach(async () => {
    served.goOn()
    await store?.close()
    await served.close()
  })
  const temp = useTempDir()
  beforeEach(async () => {
    served = await serveDirectory(temp.path)
  })

  it('is opened in a process of its own, others are not', async () => {
    const opened = async (path: string): Promise<boolean> => {
      const [spec] = parseStoreSpecs(`default=local:${path}`)
      const source = storeSource(spec!, { dataRoot: temp.path, log: SILENT })
      const found = await source.open({ isKnown: false })
      await found.close()
      return found instanceof StoreProcess
    }
    expect(await opened(join(served.path, 'store'))).to.equal(true)
    expect(await opened(join(temp.path, 'store'))).to.equal(false)
  })

  it('tells of more volumes than fit into one message', async () => {
    const path = join(temp.path, 'store')
    const names = Array.from({ length: 1100 }, (_, nth) => `volume-${nth}`)
    for (const name of names) {
      const directory = join(path, 'volumes', name)
      await fs.mkdir(join(directory, 'data'), { recursive: true })
      const createdAt = '2024-01-01T00:00:00.000Z'
      const record = { name, createdAt, options: parseVolumeOptions({}) }
      await fs.writeFile(join(directory, 'volume.json'), formatRecord(record))
    }
    store = await open(path)
    const { volumes, problems } = await store.list()
    expect(problems).to.deep.equal([])
    expect(volumes.map(({ name }) => name)).to.deep.equal(names.toSorted())
  })

  it('has all its volumes once its server goes on', async () => {
    store = await open(join(served.path, 'store'))
    await store.create('db', parseVolumeOptions({}))
    served.hang()
    const hanging = store.mount('db')
    served.goOn()
    expect(await hanging).to.equal(join(served.path, 'store/volumes/db/data'))
    expect((await store.list()).volumes).to.have.length(1)
  })

  it('does not keep whoever closes it waiting', async () => {
    const stuck = await open(join(served.path, 'store'))
    await stuck.create('db', parseVolumeOptions({}))
    served.hang()
    const hanging = expectRejection(stuck.get('db'), UnavailableError)
    const before = performance.now()
    await stuck.close()
    expect(performance.now() - before).to.be.below(5000)
    await hanging
  })
})
