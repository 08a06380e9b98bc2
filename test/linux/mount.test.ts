import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { detach, mount, mountLater, unmount } from '../../src/linux/mount.ts'
import { mountsBelow, readMountInfo } from '../../src/linux/mountinfo.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const run = promisify(execFile)

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

describe('detach', () => {
  needs('root', 'overlay')
  const home = useTempDir()

  it('frees the name, and lets the filesystem end when it is told to', async () => {
    for (let round = 0; round < 20; round++) {
      const { backing, merged } = await overlayOnTmpfs(home.path)
      await fs.writeFile(join(merged, 'file'), 'content')
      const detached = await detach(merged)
      expect(await mountsBelow(home.path)).to.deep.equal([backing])
      expect(await fs.readdir(merged)).to.deep.equal([])
      await detached.end()
      // Without MNT_DETACH the kernel refuses what is in use.
      await run('umount', [backing])
    }
  })

  it('refuses what is no mountpoint, or a link to one', async () => {
    const mounted = join(home.path, 'mounted')
    await fs.mkdir(mounted)
    await expectRejection(detach(mounted), Error, /EINVAL/)
    await expectRejection(detach(join(home.path, 'no')), Error, /ENOENT/)
    mount({ type: 'tmpfs', source: 'x', options: [] }, mounted)
    await fs.symlink(mounted, join(home.path, 'link'))
    await expectRejection(detach(join(home.path, 'link')), Error, /EINVAL/)
    expect(await mountsBelow(home.path)).to.deep.equal([mounted])
  })
})

/** An overlay whose directories are on a filesystem of its own. */
async function overlayOnTmpfs(
  home: string,
): Promise<{ readonly backing: string; readonly merged: string }> {
  const backing = join(home, 'backing')
  const merged = join(home, 'merged')
  await fs.mkdir(backing, { recursive: true })
  await fs.mkdir(merged, { recursive: true })
  mount({ type: 'tmpfs', source: 'x', options: [] }, backing)
  const at = (name: string): string => join(backing, name)
  for (const name of ['lower', 'upper', 'work']) await fs.mkdir(at(name))
  const directories = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`
  mount({ type: 'overlay', source: 'x', options: [directories] }, merged)
  return { backing, merged }
}

async function mountsAt(path: string) {
  return (await readMountInfo()).filter((info) => info.mountpoint === path)
}
