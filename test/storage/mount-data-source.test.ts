import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import {
  InUseError,
  InvalidArgumentError,
  NotFoundError,
} from '../../src/base/errors.ts'
import { untilClosed } from '../../src/base/until-closed.ts'
import { MountDataSource } from '../../src/storage/mount-data-source.ts'
import { exportOnce } from '../../src/storage/single-use.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { readTar } from '../support/read-tar.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { build, directory, file, symlink } from '../../src/conformance/tree.ts'

describe('MountDataSource', () => {
  const home = useTempDir()
  let root: string
  let letGoes: number

  beforeEach(async () => {
    letGoes = 0
    root = join(home.path, 'root')
    await build(home.path, directory('root'), file('secret', 'outside'))
    await build(
      root,
      directory('d'),
      file('d/f', 'text', { mtime: 1_500_000_000_000_000_001n }),
      symlink('l', 'd/f'),
      symlink('in', '/d'),
      symlink('out', '../..'),
      symlink('up', home.path),
    )
  })

  const open = (writable = false): MountDataSource =>
    new MountDataSource(root, {
      writable,
      letGo: async () => {
        letGoes++
      },
    })

  it('exports the tree once, and refuses to do it again', async () => {
    const source = open()
    const names = readTar(await buffer(await source.export())).map(
      ({ name }) => name,
    )
    expect(names).to.deep.equal(['./', 'd/', 'd/f', 'in', 'l', 'out', 'up'])
    await expectRejection(source.export(), InUseError, /open another/)
    await source.close()
    await expectRejection(
      open()
        .close()
        .then(() => source.export()),
      InUseError,
    )
  })

  it('lets go once, however often it is closed', async () => {
    const source = open()
    const tar = await source.export()
    await Promise.all([source.close(), source.close()])
    await source.close()
    expect(tar.destroyed).to.equal(true)
    expect(letGoes).to.equal(1)
  })

  it('lets go after its stream, when the stream owns it', async () => {
    const tar = await exportOnce(open())
    tar.destroy()
    await untilClosed(tar)
    expect(letGoes).to.equal(1)
  })

  it('lets go when there is nothing to export', async () => {
    const filter = { include: ['../x'] }
    await expectRejection(exportOnce(open(), { filter }), InvalidArgumentError)
    expect(letGoes).to.equal(1)
    root = join(home.path, 'absent')
    await expectRejection(exportOnce(open()), Error, /ENOENT/)
    expect(letGoes).to.equal(2)
  })

  it('closes promptly in the middle of a big file', async () => {
    await build(root, file('big', Buffer.alloc(32 * 1024 * 1024)))
    const source = open()
    const tar = await source.export()
    for await (const _chunk of tar) break
    await source.close()
    expect(letGoes).to.equal(1)
  })

  it('fails with an AbortError when it is aborted', async () => {
    await build(root, file('big', Buffer.alloc(32 * 1024 * 1024)))
    const abort = new AbortController()
    const tar = await exportOnce(open(), { signal: abort.signal })
    abort.abort()
    const error = await expectRejection(buffer(tar), Error)
    expect(error.name).to.equal('AbortError')
    expect(letGoes).to.equal(1)
  })

  it('tells the paths of headers only, at a size of nothing', async () => {
    const headers = readTar(await buffer(await open().export({ data: false })))
    const whole = readTar(await buffer(await open().export()))
    expect(headers.map(({ name }) => name)).to.deep.equal(
      whole.map(({ name }) => name),
    )
    expect(headers.find(({ name }) => name === 'd/f')?.size).to.equal(0)
  })

  it('runs ten exports side by side, each with all of its own', async () => {
    const tars = await Promise.all(
      Array.from({ length: 10 }, async () => buffer(await open().export())),
    )
    for (const tar of tars) expect(tar.equals(tars[0]!)).to.equal(true)
  })

  describe('stat', () => {
    it('tells of a file, a directory, a link and the root', async () => {
      const source = open()
      expect(await source.stat('d/f')).to.deep.equal({
        name: 'f',
        size: 4,
        mode: 0o100644,
        modifiedNs: 1_500_000_000_000_000_001n,
        linkTarget: undefined,
      })
      expect((await source.stat('./d/')).mode).to.equal(0o40755)
      expect((await source.stat('l')).linkTarget).to.equal('d/f')
      expect((await source.stat('')).name).to.equal('root')
    })

    it('follows the links of parents inside the root, and never out of it', async () => {
      const source = open()
      expect((await source.stat('in/f')).size).to.equal(4)
      for (const path of ['out/secret', 'up/secret', 'out/root/d']) {
        await expectRejection(source.stat(path), NotFoundError)
      }
    })

    it('says what is not there, and refuses what leads out', async () => {
      const source = open()
      for (const path of ['absent', 'd/f/g', 'absent/x']) {
        await expectRejection(
          source.stat(path),
          NotFoundError,
          /does not exist/,
        )
      }
      for (const path of ['..', '../secret', 'd/../../secret', '/d', 'a\0b']) {
        await expectRejection(
          source.stat(path),
          InvalidArgumentError,
          /stay below the root/,
        )
      }
      expect(await fs.readFile(join(home.path, 'secret'), 'utf8')).to.equal(
        'outside',
      )
    })
  })
})
