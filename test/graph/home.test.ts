import { existsSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { InUseError } from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { Home } from '../../src/graph/home.ts'
import type { Blank } from '../../src/graph/step.ts'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const TMPFS = { type: 'tmpfs', source: 'tmpfs', options: [] }

const OUTER = { do: 'mkdir', path: 'next', mode: 0o700 } as const
const INNER = { do: 'mkdir', path: 'next/inner', mode: 0o700 } as const

describe('Home', () => {
  needs('root')
  const temp = useTempDir()
  let home: Home

  beforeEach(async () => {
    home = await Home.open(join(temp.path, 'a', 'home'), { log: SILENT })
  })
  afterEach(() => home.close())

  it('belongs to one process at a time', async () => {
    await expectRejection(
      Home.open(home.path, { log: SILENT }),
      InUseError,
      /in use by another Stowage/,
    )
  })

  it('is where paths count from, unless they are absolute', () => {
    expect(home.absolute('a/b')).to.equal(join(home.path, 'a/b'))
    expect(home.absolute('/a/b')).to.equal('/a/b')
  })

  it('does steps in order, and stops at the first that fails', async () => {
    const error = await expectRejection(
      home.run([
        { do: 'mkdir', path: 'one', mode: 0o700 },
        { do: 'mkdir', path: 'absent/two', mode: 0o700 },
        { do: 'mkdir', path: 'three', mode: 0o700 },
      ]),
      Error,
    )
    expect(error).to.have.property('code', 'ENOENT')
    const names = await fs.readdir(home.path)
    expect(names).to.include('one')
    expect(names).not.to.include('three')
  })

  describe('with a blank for the next call', () => {
    const next: Blank = {
      do: 'blank',
      path: 'next',
      directories: [OUTER, INNER],
    }
    const take = (): Promise<void> =>
      home.run([next, { do: 'mkdir', path: 'next/inner/mine', mode: 0o700 }])

    it('makes it ahead, and takes it', async () => {
      await home.run([], next)
      // The thread does one thing after the other.
      await home.run([])
      expect(existsSync(home.absolute('next/inner'))).to.equal(true)
      const { ino } = await fs.stat(home.absolute('next'))
      await take()
      expect((await fs.stat(home.absolute('next'))).ino).to.equal(ino)
    })

    it('makes it when it is taken, if there is none', async () => {
      await take()
      expect(existsSync(home.absolute('next/inner'))).to.equal(true)
    })

    it('makes it anew where another thread had died over it', async () => {
      await fs.mkdir(home.absolute('next'))
      await take()
      expect(existsSync(home.absolute('next/inner'))).to.equal(true)
    })

    it('deletes what nobody took', async () => {
      await home.run([], next)
      await home.forgetBlanks()
      expect(await fs.readdir(home.path)).not.to.include('next')
      await take()
      await home.forgetBlanks()
      expect(existsSync(home.absolute('next/inner'))).to.equal(true)
    })

    it('tells who takes it why it cannot be made, and leaves nothing of it', async () => {
      const broken: Blank = {
        ...next,
        directories: [OUTER, { ...INNER, path: 'absent/inner' }],
      }
      await home.run([], broken)
      const error = await expectRejection(home.run([broken]), Error)
      expect(error).to.have.property('code', 'ENOENT')
      await home.run([], broken)
      await home.forgetBlanks()
      expect(await fs.readdir(home.path)).not.to.include('next')
    })
  })

  it('mounts at a place that it makes, once, and takes both away', async () => {
    expect(await home.mount([TMPFS], 'place')).to.equal(true)
    expect(await home.mount([TMPFS], 'place')).to.equal(false)
    expect(await mountsBelow(home.path)).to.have.length(1)
    await home.unmount('place')
    expect(await fs.readdir(home.path)).not.to.include('place')
  })

  it('mounts in order, one on the other, and takes all of them away', async () => {
    await home.mount([TMPFS, TMPFS], 'place')
    expect(await mountsBelow(home.path)).to.have.length(2)
    await home.unmount('place')
    expect(await mountsBelow(home.path)).to.deep.equal([])
  })

  it('leaves nothing where one of several mounts fails', async () => {
    const wrong = { type: 'no such filesystem', source: 'x', options: [] }
    await expectRejection(home.mount([TMPFS, wrong], 'place'), Error)
    expect(await mountsBelow(home.path)).to.deep.equal([])
    expect(await fs.readdir(home.path)).not.to.include('place')
  })

  it('mounts where a crash has left the place empty', async () => {
    await fs.mkdir(home.absolute('place'))
    expect(await home.mount([TMPFS], 'place')).to.equal(true)
    await home.unmount('place')
  })

  it('takes an absent place away without complaint', async () => {
    await home.unmount('absent')
  })

  it('takes everything off that is mounted beneath it', async () => {
    for (const place of ['one', 'two']) await home.mount([TMPFS], place)
    await home.detachAll()
    expect(await home.mountpoints()).to.deep.equal([])
  })

  it('mounts again at once what has just been taken away', async () => {
    for (const name of ['lower', 'upper', 'work']) {
      await fs.mkdir(home.absolute(name))
    }
    const options = ['lowerdir=lower,upperdir=upper,workdir=work,index=on']
    const overlay = { type: 'overlay', source: 'overlay', options }
    // With an index the kernel refuses an upper that another overlay has.
    for (let round = 0; round < 50; round++) {
      await home.mount([overlay], 'place')
      await home.unmount('place')
    }
  })
})
