import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { NotFoundError } from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { NO_PARENT } from '../../src/graph/driver.ts'
import { Home } from '../../src/graph/home.ts'
import { LayerFolders } from '../../src/graph/layer-folders.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('LayerFolders', () => {
  needs('root')
  const temp = useTempDir()
  let home: Home
  let folders: LayerFolders

  async function start(): Promise<void> {
    home = await Home.open(join(temp.path, 'home'), { log: SILENT })
    folders = await LayerFolders.open(home, { childrenRead: true })
  }
  async function stop(): Promise<void> {
    await folders.close()
    await home.close()
  }
  async function restart(): Promise<void> {
    await stop()
    await start()
  }
  beforeEach(start)
  afterEach(stop)

  const create = (id: string, parent: string) =>
    folders.create(id, parent, async (draft) => [
      { do: 'mkdir', path: draft, mode: 0o700 },
      { do: 'mkdir', path: `${draft}/data`, mode: 0o700 },
    ])

  const onDisk = () => fs.readdir(home.absolute('layers'))

  it('knows layers and what is beneath them, also after a restart', async () => {
    await create('a', NO_PARENT)
    await create('b', 'a')
    await create('c', 'b')
    for (const again of [false, true]) {
      if (again) await restart()
      expect(folders.ancestors('c')).to.deep.equal(['b', 'a'])
      expect(folders.record('a').parent).to.equal(NO_PARENT)
      expect(['a', 'b', 'c'].map((it) => folders.isSealed(it))).to.deep.equal([
        true,
        true,
        false,
      ])
    }
  })

  it('leaves nothing of a layer that could not be built', async () => {
    await expectRejection(
      folders.create('a', NO_PARENT, async (draft) => {
        await home.run([{ do: 'mkdir', path: draft, mode: 0o700 }])
        throw new Error('no more space')
      }),
      Error,
      /no more space/,
    )
    await folders.settled()
    expect(folders.has('a')).to.equal(false)
    expect(await onDisk()).to.deep.equal([])
    expect((await fs.readdir(home.path)).join()).not.to.match(/new-/)
    await create('a', NO_PARENT)
  })

  it('keeps a removed layer’s data until no child reads it', async () => {
    await create('a', NO_PARENT)
    await create('b', 'a')
    await create('c', 'b')
    await folders.remove('a')
    await folders.remove('b')
    for (const again of [false, true]) {
      if (again) await restart()
      expect(folders.has('a')).to.equal(false)
      expect(() => folders.record('b')).to.throw(NotFoundError)
      expect(folders.ancestors('c')).to.deep.equal(['b', 'a'])
      expect((await onDisk()).toSorted()).to.deep.equal(['a', 'b', 'c'])
    }
    await folders.remove('c')
    expect(await onDisk()).to.deep.equal([])
  })

  it('finishes what a crash left between the last child and its parent', async () => {
    await create('a', NO_PARENT)
    await create('b', 'a')
    await folders.remove('a')
    await fs.rm(home.absolute('layers/b'), { recursive: true })
    await restart()
    expect(await onDisk()).to.deep.equal([])
  })

  it('says which layer is missing beneath one', async () => {
    await create('a', NO_PARENT)
    await create('b', 'a')
    await fs.rm(home.absolute('layers/a'), { recursive: true })
    await restart()
    expect(() => folders.ancestors('b')).to.throw(
      NotFoundError,
      /"b" cannot be read: layer "a" beneath it is missing/,
    )
  })
})
