import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { NotFoundError } from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { images } from '../../src/image/image-part.ts'
import { Storage } from '../../src/storage/storage.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { readTar } from '../support/read-tar.ts'
import { SHARED_MEMORY, useTempDir } from '../../src/conformance/temp-dir.ts'

describe('Images as a part of storage', () => {
  needs('root')
  const dataRoot = useTempDir(() => SHARED_MEMORY)

  const open = (): Promise<Storage> =>
    Storage.open({ dataRoot: dataRoot.path, imageStores: ['main', 'other'] }, [
      images({ driver: 'vfs', log: SILENT }),
    ])

  it('have the stores that the configuration names, again and again', async () => {
    for (let round = 0; round < 2; round++) {
      await using storage = await open()
      expect(storage.registry.getExporters()).to.deep.equal([
        'images/main',
        'images/other',
      ])
      const tar = await buffer(await storage.export('images/main', 'scratch'))
      expect(readTar(tar).map(({ name }) => name)).to.deep.equal(['./'])
      await expectRejection(
        storage.export('images/main', 'absent'),
        NotFoundError,
        /"absent"/,
      )
    }
    expect(
      await fs.readdir(join(dataRoot.path, 'images/stores')),
    ).to.have.lengthOf(2)
  })

  it('leave nothing registered when they close', async () => {
    const storage = await open()
    await storage.close()
    expect(storage.registry.getImporters()).to.deep.equal([])
  })
})
