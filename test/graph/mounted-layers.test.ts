import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { SILENT } from '../../src/base/log.ts'
import { NO_PARENT } from '../../src/graph/driver.ts'
import { Home } from '../../src/graph/home.ts'
import { MountedLayers } from '../../src/graph/mounted-layers.ts'
import { OverlayLayers } from '../../src/graph/overlay/overlay-layers.ts'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { unmount } from '../../src/linux/mount.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('MountedLayers', () => {
  needs('root', 'overlay')
  const temp = useTempDir()
  let home: Home
  let layers: MountedLayers

  async function start(): Promise<void> {
    home = await Home.open(join(temp.path, 'home'), { log: SILENT })
    layers = await MountedLayers.open(await OverlayLayers.open(home), home)
  }
  async function stop(): Promise<void> {
    await layers.close()
    await home.close()
  }
  beforeEach(async () => {
    await start()
    await layers.create('base', NO_PARENT)
    await layers.create('layer', 'base')
  })
  afterEach(stop)

  const mounts = () => mountsBelow(home.path)

  it('mounts anew what somebody else has unmounted, and counts from there', async () => {
    const mountpoint = await layers.get('layer')
    await layers.get('layer')
    await unmount(mountpoint)
    await layers.get('layer')
    expect(await mounts()).to.deep.equal([mountpoint])
    await layers.put('layer')
    expect(await mounts()).to.deep.equal([])
  })

  it('takes what it finds mounted for held, whatever its journal says', async () => {
    const mountpoint = await layers.get('layer')
    await stop()
    await fs.rm(join(temp.path, 'home/holds'))
    await start()
    expect(await layers.get('layer')).to.equal(mountpoint)
    await layers.put('layer')
    expect(await mounts()).to.deep.equal([mountpoint])
    await layers.put('layer')
    expect(await mounts()).to.deep.equal([])
  })

  it('takes what it does not find mounted for not held', async () => {
    const mountpoint = await layers.get('layer')
    await layers.get('layer')
    await stop()
    await unmount(mountpoint)
    await start()
    expect(layers.isHeld()).to.equal(false)
    await layers.get('layer')
    await layers.put('layer')
    expect(await mounts()).to.deep.equal([])
  })

  it('forgets with its process what it held itself', async () => {
    const own = await layers.hold('layer')
    await layers.get('layer')
    expect(await mounts()).to.deep.equal([own.mountpoint])
    await stop()
    await start()
    await layers.put('layer')
    expect(await mounts()).to.deep.equal([])
  })

  it('keeps a layer mounted for itself when Docker lets go of it', async () => {
    await layers.get('layer')
    const own = await layers.hold('layer')
    expect(own.isWritten).to.equal(true)
    await layers.put('layer')
    expect(await mounts()).to.deep.equal([own.mountpoint])
    await own[Symbol.asyncDispose]()
    expect(await mounts()).to.deep.equal([])
  })

  it('knows a sealed layer for one that nobody writes to', async () => {
    await layers.get('base')
    await using base = await layers.hold('base')
    expect(base.isWritten).to.equal(false)
  })

  it('clears mountpoints away that a crash left behind', async () => {
    await stop()
    await fs.mkdir(join(temp.path, 'home/mnt/layer'))
    await fs.mkdir(join(temp.path, 'home/mnt/of nobody'))
    await start()
    expect(await fs.readdir(home.absolute('mnt'))).to.deep.equal([])
  })

  it('tells where a layer will be seen', async () => {
    const { MergedDir: merged } = await layers.metadata('layer')
    expect(merged).to.equal(await layers.get('layer'))
  })
})
