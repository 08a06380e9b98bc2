import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { copyFrom } from '../../src/storage/copy-from.ts'
import type { CopyMount } from '../../src/storage/copy-plan.ts'
import type { DataSource } from '../../src/storage/data-source.ts'
import { MountDataSource } from '../../src/storage/mount-data-source.ts'
import { exportOnce } from '../../src/storage/single-use.ts'
import { type Part, Storage } from '../../src/storage/storage.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { readTar } from '../support/read-tar.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { build, directory, file } from '../../src/conformance/tree.ts'

describe('copyFrom', () => {
  const home = useTempDir()
  let storage: Storage
  let open: number

  const mounts: readonly CopyMount[] = [
    { destination: '/', key: 'trees', id: 'root' },
    { destination: '/mnt/A', key: 'trees', id: 'a' },
  ]

  const openSource = async (id: string): Promise<DataSource> => {
    open++
    return new MountDataSource(join(home.path, id), {
      writable: false,
      letGo: async () => {
        open--
      },
    })
  }

  /** Exports directories of the test by their names. */
  const trees: Part = async ({ registry }) => {
    const registration = registry.registerExporter('trees', {
      openSource,
      export: async (id, options) => exportOnce(await openSource(id), options),
    })
    return {
      [Symbol.asyncDispose]: async () => registration[Symbol.dispose](),
    }
  }

  beforeEach(async () => {
    open = 0
    storage = await Storage.open({ dataRoot: home.path }, [trees])
    await build(
      home.path,
      directory('root'),
      directory('root/mnt'),
      directory('root/mnt/A'),
      file('root/mnt/A/hidden'),
      file('root/mnt/r.txt', 'r'),
      directory('root/mntfoo'),
      file('root/mntfoo/x'),
      directory('a'),
      file('a/f', 'f'),
    )
  })
  afterEach(() => storage.close())

  const names = async (path: string): Promise<readonly string[]> => {
    const tar = await copyFrom(storage, path, mounts)
    return readTar(await buffer(tar)).map(({ name }) => name)
  }

  it('gives a directory with the volumes that are mounted in it', async () => {
    expect(await names('/mnt')).to.deep.equal([
      'mnt/',
      'mnt/A/',
      'mnt/r.txt',
      'mnt/A/',
      'mnt/A/f',
    ])
    expect(open).to.equal(0)
  })

  it('gives what is in a directory, a file, and what a volume holds', async () => {
    expect(await names('/mnt/r.txt')).to.deep.equal(['r.txt'])
    expect(await names('/mnt/A')).to.deep.equal(['A/', 'A/f'])
    expect(await names('/mnt/A/.')).to.deep.equal(['f'])
    expect(await names('/mntfoo/.')).to.deep.equal(['x'])
  })

  it('fails as a whole when a mount cannot be exported, and names it', async () => {
    const missing = [
      ...mounts,
      { destination: '/mnt/B', key: 'absent', id: 'b' },
    ]
    const tar = await copyFrom(storage, '/mnt', missing)
    await expectRejection(
      buffer(tar),
      Error,
      /^"\/mnt\/B" cannot be archived: No exporter .*"absent"/,
    )
    expect(open).to.equal(0)
  })

  it('refuses a path that is in none of the mounts', async () => {
    await expectRejection(
      copyFrom(storage, '/', mounts.slice(1)),
      InvalidArgumentError,
    )
  })
})
