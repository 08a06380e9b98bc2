import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import type { ImportResult } from '../../src/archive/import-result.ts'
import { packTree } from '../../src/archive/layer-diff.ts'
import {
  importTree,
  type ImportTreeOptions,
} from '../../src/archive/tree-import.ts'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import {
  forgeEntry,
  type ForgedEntry,
  forgeTar,
} from '../../src/conformance/forge-tar.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  device,
  directory,
  fifo,
  file,
  hardLink,
  portray,
  sparseFile,
  symlink,
} from '../../src/conformance/tree.ts'

describe('importTree', () => {
  needs('root')
  const home = useTempDir()
  let root: string

  beforeEach(async () => {
    root = join(home.path, 'root')
    await fs.mkdir(root)
  })

  const load = (
    tar: Buffer,
    options?: ImportTreeOptions,
  ): Promise<ImportResult> => importTree(root, Readable.from([tar]), options)

  const unpack = (...entries: readonly ForgedEntry[]): Promise<ImportResult> =>
    load(forgeTar(...entries))

  const names = async (): Promise<readonly string[]> =>
    (await fs.readdir(root, { recursive: true })).toSorted()

  describe('gives back what was exported', () => {
    it('in every attribute, to the nanosecond', async () => {
      const source = join(home.path, 'source')
      await fs.mkdir(source)
      await build(
        source,
        directory('d', {
          mode: 0o1775,
          uid: 5,
          mtime: 1_500_000_000_000_000_001n,
        }),
        file('d/f', 'text', {
          mode: 0o4711,
          uid: 1,
          gid: 2,
          mtime: -5_000_000_001n,
        }),
        hardLink('d/again', 'd/f'),
        file(Buffer.from('b\xff', 'latin1'), '', {
          xattrs: { 'user.x': Buffer.from([0, 255]) },
        }),
        file('.wh.kept', 'not a whiteout here'),
        symlink('l', '../../etc', { uid: 7, mtime: 1_000_000_001n }),
        fifo('p', { mode: 0o600 }),
        device('c', 'character', { major: 1, minor: 3 }),
        sparseFile('s', 100_000, { 70_000: 'end' }),
        directory('.', { mode: 0o2770, gid: 9, mtime: 5n }),
      )
      const result = await importTree(root, await packTree(source))
      expect(result.skipped).to.deep.equal([])
      expect(result.entries).to.be.at.least(9)
      expect(await portray(root)).to.deep.equal(await portray(source))
    })

    it('through a filter and new names, hard links among them', async () => {
      const source = join(home.path, 'source')
      await build(home.path, directory('source'))
      await build(
        source,
        directory('mnt'),
        file('mnt/a', 'text'),
        hardLink('mnt/b', 'mnt/a'),
        symlink('mnt/s', 'a'),
        directory('mntfoo'),
        file('mntfoo/x'),
      )
      const filter = { include: ['mnt'], strip: 'mnt', rebase: 'new' }
      await importTree(root, await packTree(source), { filter })
      expect(await names()).to.deep.equal(['new', 'new/a', 'new/b', 'new/s'])
      const [a, b] = [
        await fs.stat(join(root, 'new/a')),
        await fs.stat(join(root, 'new/b')),
      ]
      expect(a.ino).to.equal(b.ino)
      expect(await fs.readlink(join(root, 'new/s'))).to.equal('a')
    })
  })

  describe('writes over what is there', () => {
    it('files over links, and directories over files, and keeps the rest', async () => {
      await build(
        root,
        file('file', 'old'),
        symlink('link', 'target'),
        file('target', 'untouched'),
        directory('dir', { mode: 0o700 }),
        file('dir/kept'),
      )
      await unpack(
        { name: 'file', type: '5' },
        { name: 'link', content: 'new' },
        { name: 'dir/', type: '5', mode: 0o755 },
        { name: 'dir/new' },
        { name: 'implied/deep/f' },
      )
      expect(await names()).to.deep.equal([
        'dir',
        'dir/kept',
        'dir/new',
        'file',
        'implied',
        'implied/deep',
        'implied/deep/f',
        'link',
        'target',
      ])
      expect(await fs.readFile(join(root, 'link'), 'utf8')).to.equal('new')
      expect(await fs.readFile(join(root, 'target'), 'utf8')).to.equal(
        'untouched',
      )
      expect((await fs.stat(join(root, 'dir'))).mode & 0o7777).to.equal(0o755)
    })

    it('names of whiteouts as what they are, and deletes nothing', async () => {
      await build(root, file('gone'))
      await unpack({ name: '.wh.gone' }, { name: '.wh..wh..opq' })
      expect(await names()).to.deep.equal(['.wh..wh..opq', '.wh.gone', 'gone'])
    })

    it('and puts what strips to nothing in the place of the root', async () => {
      const tar = forgeTar(
        { name: 'mnt/', type: '5', mode: 0o711 },
        { name: 'mnt/f' },
      )
      await load(tar, { filter: { strip: 'mnt' } })
      expect(await names()).to.deep.equal(['f'])
      expect((await fs.stat(root)).mode & 0o7777).to.equal(0o711)
      await expectRejection(
        load(forgeTar({ name: 'mnt' }), { filter: { strip: 'mnt' } }),
        InvalidArgumentError,
        /"mnt".*root of the tree must be a directory/,
      )
    })

    it('and tells which hard links it cannot make, and why', async () => {
      const tar = forgeTar(
        { name: 'out/a', content: 'text' },
        { name: 'in/b', type: '1', linkName: 'out/a' },
        { name: 'in/c' },
      )
      const result = await load(tar, { filter: { include: ['in'] } })
      expect(result).to.deep.include({ entries: 1, bytes: 0 })
      expect(result.skipped).to.deep.equal([
        {
          name: 'in/b',
          reason: 'it is a hard link to "out/a", which was left out',
        },
      ])
    })
  })

  for (const confinement of ['own-root', 'in-root'] as const) {
    describe(`confined by ${confinement}`, () => {
      let outside: string

      beforeEach(async () => {
        outside = join(home.path, 'outside')
        await build(home.path, directory('outside'))
        await build(outside, file('canary', 'alive'))
      })

      afterEach(async () => {
        expect(await fs.readdir(outside)).to.deep.equal(['canary'])
        const canary = await fs.readFile(join(outside, 'canary'), 'utf8')
        expect(canary).to.equal('alive')
      })

      for (const name of [
        '../outside/pwn',
        'a/../../outside/pwn',
        '..',
        'a/..',
      ]) {
        it(`refuses the name ${name}`, async () => {
          const tar = forgeTar({ name })
          await expectRejection(
            load(tar, { confinement }),
            InvalidArgumentError,
            /would leave the root/,
          )
        })
      }

      it('takes a name that begins with a slash from its own root', async () => {
        const name = `${outside}/pwn`
        await load(forgeTar({ name }), { confinement })
        expect(await names()).to.include(name.slice(1))
      })

      it('follows links that the archive made, and stays in its root', async () => {
        const tar = forgeTar(
          { name: 'l', type: '2', linkName: outside },
          { name: 'm', type: '2', linkName: '../outside' },
        )
        await load(tar, { confinement })
        for (const link of ['l', 'm']) {
          const through = load(forgeTar({ name: `${link}/pwn` }), {
            confinement,
          })
          await Promise.allSettled([through])
        }
      })

      it('makes no hard link to what is outside', async () => {
        for (const linkName of ['../outside/canary', `${outside}/canary`]) {
          const tar = forgeTar({ name: 'pwn', type: '1', linkName })
          await expectRejection(load(tar, { confinement }), Error)
        }
        await build(root, symlink('l', outside))
        const tar = forgeTar({ name: 'pwn', type: '1', linkName: 'l/canary' })
        await expectRejection(load(tar, { confinement }), Error)
      })

      it('refuses a filter that leads out', async () => {
        const filter = { rebase: '../outside' }
        const tar = forgeTar({ name: 'pwn' })
        await expectRejection(
          load(tar, { filter, confinement }),
          InvalidArgumentError,
          /must stay below the root/,
        )
      })
    })
  }

  describe('tells what is wrong', () => {
    it('with text, a tar that ends early, and broken gzip', async () => {
      const cut = forgeEntry({ name: 'a', content: 'x'.repeat(5000) })
      for (const [bytes, message] of [
        [Buffer.from('just some text\n'.repeat(100)), /./],
        [cut.subarray(0, 2000), /ends early/],
        [gzipSync(forgeTar({ name: 'a' })).subarray(0, 20), /gzip/],
      ] as const) {
        await expectRejection(load(bytes), InvalidArgumentError, message)
      }
    })

    it('when a limit is reached', async () => {
      const tar = forgeTar({ name: 'a/b/c', content: 'x'.repeat(1000) })
      for (const [limits, message] of [
        [{ entries: 0 }, /entries/],
        [{ depth: 2 }, /"a\/b\/c/],
        [{ totalBytes: 999 }, /more than 999 bytes/],
      ] as const) {
        await expectRejection(
          load(tar, { limits }),
          InvalidArgumentError,
          message,
        )
      }
    })

    it('when its source fails', async () => {
      const failing = Readable.from(
        (async function* () {
          yield forgeEntry({ name: 'a' })
          throw new Error('connection lost')
        })(),
      )
      await expectRejection(importTree(root, failing), Error, /connection lost/)
    })

    it('when it is aborted, however stuck its source is', async () => {
      const abort = new AbortController()
      const stuck = new Readable({ read: () => undefined })
      stuck.push(forgeEntry({ name: 'a' }))
      const importing = importTree(root, stuck, { signal: abort.signal })
      setTimeout(() => abort.abort(), 50)
      const error = await expectRejection(importing, Error)
      expect(error.name).to.equal('AbortError')
      expect(stuck.destroyed).to.equal(true)
    })
  })

  it('takes nothing at all for an empty archive', async () => {
    const result = await load(Buffer.alloc(0))
    expect(result).to.deep.equal({ entries: 0, bytes: 0, skipped: [] })
  })

  it('unpacks gzip', async () => {
    await load(gzipSync(forgeTar({ name: 'a', content: 'text' })))
    expect(await fs.readFile(join(root, 'a'), 'utf8')).to.equal('text')
  })
})
