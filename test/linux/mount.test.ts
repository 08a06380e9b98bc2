import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { mount, mountLater, unmount } from '../../src/linux/mount.ts'
import { mountsBelow, readMountInfo } from '../../src/linux/mountinfo.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('mount', () => {
  needs('root')
  const home = useTempDir()

  it('mounts a filesystem with its flags and its data', async () => {
    const options = ['nosuid', 'nodev', 'size=1m']
    mount({ type: 'tmpfs', source: 'tmpfs', options }, home.path)
    const [found] = await mountsAt(home.path)
    expect(found?.type).to.equal('tmpfs')
    expect(found?.options).to.include.members(['rw', 'nosuid', 'nodev'])
    expect(found?.superOptions).to.include('size=1024k')
  })

  it('makes a read-only bind that refuses writes', async () => {
    const source = join(home.path, 'source')
    const target = join(home.path, 'target')
    await fs.mkdir(source)
    await fs.mkdir(target)
    await fs.writeFile(join(source, 'file'), 'content')
    mount({ type: 'bind', source, options: ['rbind', 'ro'] }, target)
    expect(await fs.readFile(join(target, 'file'), 'utf8')).to.equal('content')
    await expectRejection(fs.writeFile(join(target, 'new'), ''), Error, /EROFS/)
    await fs.writeFile(join(source, 'new'), '')
  })

  it('mounts on another thread, and tells what is wrong from there', async () => {
    await mountLater({ type: 'tmpfs', source: 'x', options: [] }, home.path)
    expect(await mountsAt(home.path)).to.have.length(1)
    const unknown = { type: 'no-such-fs', source: 'x', options: [] }
    await expectRejection(mountLater(unknown, home.path), Error, /ENODEV/)
  })
})

describe('unmount', () => {
  needs('root')
  const home = useTempDir()

  it('detaches a mount that is in use', async () => {
    mount({ type: 'tmpfs', source: 'x', options: [] }, home.path)
    const file = await fs.open(join(home.path, 'file'), 'w')
    await unmount(home.path)
    await file.writeFile('still there')
    await file.close()
    expect(await mountsBelow(home.path)).to.deep.equal([])
  })

  it('refuses what is not a mountpoint, and never follows a link', async () => {
    await expectRejection(unmount(home.path), Error, /EINVAL/)
    const mounted = join(home.path, 'mounted')
    await fs.mkdir(mounted)
    mount({ type: 'tmpfs', source: 'x', options: [] }, mounted)
    await fs.symlink(mounted, join(home.path, 'link'))
    await expectRejection(unmount(join(home.path, 'link')), Error, /EINVAL/)
    expect(await mountsBelow(home.path)).to.deep.equal([mounted])
  })
})

async function mountsAt(path: string) {
  return (await readMountInfo()).filter((info) => info.mountpoint === path)
}
