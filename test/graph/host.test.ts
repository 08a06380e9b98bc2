import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  InUseError,
  InvalidArgumentError,
  UnavailableError,
} from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { NO_PARENT } from '../../src/graph/driver.ts'
import { GraphHost } from '../../src/graph/host.ts'
import { builtInDrivers } from '../../src/graph/built-in-drivers.ts'
import type { InitParameters } from '../../src/graph/init.ts'
import { mount, unmount } from '../../src/linux/mount.ts'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('GraphHost', () => {
  needs('root', 'overlay')
  const temp = useTempDir()
  let host: GraphHost

  const at = (name: string): string => join(temp.path, name)

  function init(home: string, more: Partial<InitParameters> = {}) {
    const none = { options: [], uidMaps: [], gidMaps: [] }
    return host.init({ home: at(home), ...none, ...more })
  }

  async function start(): Promise<void> {
    host = await GraphHost.open({
      dataRoot: at('data'),
      source: builtInDrivers({ driver: 'overlay', log: SILENT }),
      log: SILENT,
    })
  }

  async function restart(): Promise<void> {
    await host.close()
    await start()
  }

  beforeEach(async () => {
    await fs.mkdir(at('data'))
    await start()
  })
  afterEach(() => host.close())

  /** A held container on an image. */
  async function run(): Promise<string> {
    await host.driver.create('image', NO_PARENT)
    await host.driver.createReadWrite('container', 'image')
    return host.driver.get('container')
  }

  it('has no driver before Docker’s first Init, and says what is missing', () => {
    expect(() => host.driver).to.throw(UnavailableError, /has not said Init/)
  })

  it('makes Home, for root and those in the namespace alone', async () => {
    const maps = [{ containerId: 0, hostId: 100_000, size: 65_536 }]
    await init('remapped', { uidMaps: maps, gidMaps: maps })
    const { mode, uid, gid } = await fs.stat(at('remapped'))
    expect([mode & 0o777, uid, gid]).to.deep.equal([0o710, 0, 100_000])
  })

  it('takes the same Init again and again, and leaves mounts alone', async () => {
    await init('home')
    const mountpoint = await run()
    const { driver } = host
    await init('home')
    expect(host.driver).to.equal(driver)
    expect(await mountsBelow(temp.path)).to.deep.equal([mountpoint])
  })

  it('works after a restart that Docker is not told of', async () => {
    await init('home')
    const mountpoint = await run()
    await restart()
    expect(await mountsBelow(temp.path)).to.deep.equal([mountpoint])
    expect(await host.driver.get('container')).to.equal(mountpoint)
    await host.driver.put('container')
    await host.driver.put('container')
    expect(await mountsBelow(temp.path)).to.deep.equal([])
  })

  it('refuses another Home while layers of this one are held', async () => {
    await init('home')
    await run()
    await expectRejection(init('other'), InUseError, /layers there are in use/)
    await host.driver.put('container')
    await init('other')
    expect(await host.driver.exists('image')).to.equal(false)
    await init('home')
    expect(await host.driver.exists('image')).to.equal(true)
  })

  it('takes over from a Docker that said Cleanup', async () => {
    await init('home')
    await run()
    await host.driver.cleanup()
    expect(await mountsBelow(temp.path)).to.deep.equal([])
    await init('home')
    expect(await host.driver.exists('container')).to.equal(true)
  })

  it('refuses an option that it does not know, and keeps its driver', async () => {
    await init('home')
    await run()
    await expectRejection(
      init('home', { options: ['stowage.colour=red'] }),
      InvalidArgumentError,
      /"stowage.colour" is unknown/,
    )
    expect(await host.driver.exists('container')).to.equal(true)
  })

  it('lets Docker’s option win over the setting', async () => {
    await init('home', { options: ['stowage.driver=vfs'] })
    expect(host.driver.name).to.equal('vfs')
    const status = await host.driver.status()
    expect(status).to.deep.include(['Layer Driver', 'vfs'])
    expect(status).to.deep.include(['Chosen Because', 'it was asked for'])
  })

  it('is open though its Home is not, says why, and recovers by Init', async () => {
    await init('home')
    await host.close()
    await fs.rename(at('home'), at('elsewhere'))
    await fs.writeFile(at('home'), 'in the way')
    await start()
    expect(() => host.driver).to.throw(UnavailableError, /cannot be opened/)
    await fs.rm(at('home'))
    await fs.rename(at('elsewhere'), at('home'))
    await init('home')
    expect(await host.driver.exists('none')).to.equal(false)
  })

  it('starts afresh where somebody deleted its Home between two Inits', async () => {
    await init('home')
    await host.driver.create('image', NO_PARENT)
    await fs.rm(at('home'), { recursive: true })
    await init('home')
    expect(await host.driver.exists('image')).to.equal(false)
    await host.driver.create('image', NO_PARENT)
    await fs.rm(at('home/format'))
    await fs.rm(at('home/layers'), { recursive: true })
    await init('home')
    expect(await host.driver.exists('image')).to.equal(false)
  })

  it('finds the disk that was mounted over its Home meanwhile', async () => {
    await init('home')
    await host.driver.create('image', NO_PARENT)
    await host.close()
    const tmpfs = { type: 'tmpfs', source: 'tmpfs', options: [] }
    mount(tmpfs, at('home'))
    await start()
    expect(() => host.driver).to.throw(UnavailableError, /has no layers/)
    expect(await fs.readdir(at('home'))).to.deep.equal([])
    await unmount(at('home'))
    await init('home')
    expect(await host.driver.exists('image')).to.equal(true)
    mount(tmpfs, at('home'))
    await init('home')
    expect(await host.driver.exists('image')).to.equal(false)
  })

  it('lets no second daemon into its Home', async () => {
    await init('home')
    await fs.mkdir(at('data of another'))
    const other = await GraphHost.open({
      dataRoot: at('data of another'),
      source: builtInDrivers({ log: SILENT }),
      log: SILENT,
    })
    const parameters = {
      home: at('home'),
      options: [],
      uidMaps: [],
      gidMaps: [],
    }
    await expectRejection(
      other.init(parameters),
      InUseError,
      /in use by another/,
    )
    await other.close()
  })

  it('keeps layers in a Home with blanks and colons in its name', async () => {
    await init('a home: with, everything')
    const mountpoint = await run()
    await fs.writeFile(join(mountpoint, 'file'), '')
    await host.driver.put('container')
    await host.driver.remove('container')
    expect(await mountsBelow(temp.path)).to.deep.equal([])
  })
})
