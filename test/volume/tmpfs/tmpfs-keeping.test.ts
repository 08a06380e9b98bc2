import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { unmount } from '../../../src/linux/mount.ts'
import { mountsBelow, readMountInfo } from '../../../src/linux/mountinfo.ts'
import type { FolderStore } from '../../../src/volume/folder-store.ts'
import { TmpfsKeeping } from '../../../src/volume/tmpfs/tmpfs-keeping.ts'
import { parseVolumeOptions } from '../../../src/volume/volume-options.ts'
import { describeVolumeStorer } from '../../../src/conformance/describe-volume-storer.ts'
import { needs } from '../../../src/conformance/capabilities.ts'
import { expectRejection } from '../../../src/conformance/expect-rejection.ts'
import { storeKeptBy } from '../../support/open-store.ts'
import { useTempDir } from '../../../src/conformance/temp-dir.ts'

const MIB = 1024 * 1024

const openStore = storeKeptBy(async () => new TmpfsKeeping())

describeVolumeStorer('tmpfs', openStore, { on: ['root'] })

describe('The tmpfs store', () => {
  needs('root')
  let store: FolderStore
  afterEach(() => store.close())
  const home = useTempDir()
  beforeEach(async () => {
    store = await openStore(home.path)
  })

  const create = (name: string, options: Readonly<Record<string, string>>) =>
    store.create(name, parseVolumeOptions(options))

  it('keeps the files in memory', async () => {
    await create('cache', {})
    const path = await store.mount('cache')
    const mount = (await readMountInfo()).find((it) => it.mountpoint === path)
    expect(mount).to.include({ type: 'tmpfs', source: 'stowage' })
  })

  it('lets a volume hold its capacity and no more', async () => {
    await create('cache', { capacity: '2MiB' })
    const path = await store.mount('cache')
    await fs.writeFile(join(path, 'a'), Buffer.alloc(MIB))
    await expectRejection(
      fs.writeFile(join(path, 'b'), Buffer.alloc(1.5 * MIB)),
      Error,
      /ENOSPC/,
    )
  })

  it('gives volumes that name no capacity the store’s', async () => {
    await store.close()
    store = await storeKeptBy(async () => new TmpfsKeeping({ capacity: MIB }))(
      home.path,
    )
    await create('cache', {})
    const { blocks, bsize } = await fs.statfs(await store.mount('cache'))
    expect(blocks * bsize).to.equal(MIB)
  })

  it('gives memory back when a volume is removed', async () => {
    await create('cache', {})
    await fs.writeFile(join(await store.mount('cache'), 'a'), 'text')
    await store.unmount('cache')
    await store.remove('cache')
    await store.close()
    expect(await mountsBelow(home.path)).to.deep.equal([])
    expect(await fs.readdir(home.path)).to.have.members([
      'format',
      'lock',
      'volumes',
    ])
    store = await openStore(home.path)
  })

  it('has its volumes after a reboot, empty, and with their attributes', async () => {
    await create('cache', { mode: '0770', ro: '' })
    const { mountpoint } = await store.get('cache')
    await store.mount('cache')
    await fs.writeFile(join(mountpoint, 'a'), 'text')
    await store.mount('cache')
    await store.close()
    for (const path of await mountsBelow(home.path)) await unmount(path)

    store = await openStore(home.path, true)
    const path = await store.mount('cache')
    expect(await fs.readdir(path)).to.deep.equal([])
    expect((await fs.stat(path)).mode & 0o7777).to.equal(0o770)
    await fs.writeFile(join(path, 'a'), 'it can be filled again')
  })

  it('knows that nobody holds a volume that a crash kept from being mounted', async () => {
    const cache = await create('cache', {})
    expect(await store.mounted([cache])).to.deep.equal(
      new Map([['cache', false]]),
    )
    await store.mount('cache')
    expect(await store.mounted([cache])).to.deep.equal(new Map())
    await store.unmount('cache')
    // It keeps its files meanwhile: who holds it is not the kernel's to say.
    expect(await store.mounted([cache])).to.deep.equal(new Map())
  })

  it('sweeps what a crash left mounted on its way out', async () => {
    await create('cache', {})
    await store.mount('cache')
    await store.close()
    const volume = join(home.path, 'volumes', 'cache')
    await fs.rename(volume, join(home.path, 'rm-1'))
    store = await openStore(home.path)
    await store.close()
    expect(await mountsBelow(home.path)).to.deep.equal([])
    store = await openStore(home.path)
  })
})
