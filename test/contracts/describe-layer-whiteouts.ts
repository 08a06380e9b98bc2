import * as fs from 'node:fs/promises'
import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { type ApplyLayer, useLayer } from '../support/layer.ts'
import { build, directory, file, portray } from '../../src/conformance/tree.ts'

/** What a layer takes away. */
export function describeLayerWhiteouts(applyLayer: ApplyLayer): void {
  const { dir, at, apply, refusal, names, text, isThere, modeOf } =
    useLayer(applyLayer)

  describe('whiteouts', () => {
    it('delete a file or a whole directory', async () => {
      const size = await apply({ name: '.wh.a' }, { name: '.wh.file' })
      expect(size).to.equal(0)
      expect(await names()).to.deep.equal(['abs', 'b', 'lnk'])
    })

    it('succeed for what is not there, and leave nothing', async () => {
      const before = await names()
      await apply({ name: '.wh.missing' }, { name: 'nowhere/.wh.x' })
      await apply({ name: 'file/.wh.x' })
      expect(await names()).to.deep.equal(before)
    })

    it('spare what comes after them', async () => {
      const size = await apply(
        { name: '.wh.file' },
        { name: 'file', content: 'four' },
      )
      expect(size).to.equal(4)
      expect(await text('file')).to.equal('four')
    })

    it('delete what came before them', async () => {
      await apply({ name: 'new', content: 'x' }, { name: '.wh.new' })
      expect(await isThere('new')).to.equal(false)
    })

    it('delete a directory after its own entry without complaint', async () => {
      await apply(
        { name: 'a/', type: '5' },
        { name: 'a/x/', type: '5' },
        { name: '.wh.a' },
      )
      expect(await isThere('a')).to.equal(false)
    })

    it('leave no attributes to a directory of the same name', async () => {
      await apply(
        { name: 'd/e/', type: '5', mode: 0o700, mtime: 1 },
        { name: '.wh.d' },
        { name: 'd/e/f' },
      )
      expect(await modeOf('d/e')).to.equal('755')
    })

    it('go by the name alone, whatever the entry is', async () => {
      await apply(
        { name: '.wh.file', content: 'data' },
        { name: 'a/.wh.sub/', type: '5' },
        { name: 'a/.wh.1', type: '2', linkName: '/etc' },
      )
      expect(await names()).to.deep.equal(['a', 'a/2', 'abs', 'b', 'lnk'])
    })

    it('follow links within the layer', async () => {
      await apply({ name: 'lnk/.wh.1' })
      expect(await names('a')).to.deep.equal(['2', 'sub', 'sub/3'])
    })

    it('delete a link, not what it leads to', async () => {
      await apply({ name: '.wh.lnk' })
      expect(await isThere('lnk')).to.equal(false)
      expect(await isThere('a/1')).to.equal(true)
    })

    for (const name of [
      '.wh.',
      '.wh..',
      '.wh...',
      'a/.wh.',
      'a/.wh..',
      'a/.wh...',
      'a/sub/.wh...',
      'a/.wh.../b',
      'a/.wh./b',
      './a//.wh..',
    ]) {
      it(`are refused when called ${name}, and delete nothing`, async () => {
        const before = await portray(dir.path)
        const error = await expectRejection(
          apply({ name }),
          InvalidArgumentError,
        )
        expect(error.message).to.contain(JSON.stringify(name))
        expect(await portray(dir.path)).to.deep.equal(before)
      })
    }

    it('delete names that begin like one', async () => {
      await build(dir.path, file('.wh.foo'), file('...'))
      await apply({ name: 'a/../.wh....' })
      await apply({ name: 'a/.wh..wh.foo' })
      expect(await isThere('...')).to.equal(false)
    })

    it('delete names of any bytes', async () => {
      const name = Buffer.from([0x61, 0xff])
      await fs.writeFile(Buffer.concat([Buffer.from(`${dir.path}/`), name]), '')
      await fs.mkdir(Buffer.concat([Buffer.from(`${dir.path}/b/`), name]))
      await apply(
        { name: Buffer.concat([Buffer.from('.wh.'), name]) },
        { name: '.wh.b' },
      )
      expect(await names()).to.deep.equal([
        'a',
        'a/1',
        'a/2',
        'a/sub',
        'a/sub/3',
        'abs',
        'file',
        'lnk',
      ])
    })
  })

  describe('opaque markers', () => {
    it('hide all from below, whether they come first or last', async () => {
      const marker = { name: 'a/.wh..wh..opq' }
      const entry = { name: 'a/9', content: 'nine' }
      await apply(marker, entry)
      expect(await names('a')).to.deep.equal(['9'])
      await build(dir.path, file('a/old'))
      await apply(entry, marker)
      expect(await names('a')).to.deep.equal(['9'])
    })

    it('keep what their layer made, in implied directories too', async () => {
      await build(dir.path, directory('a/sub/deep'), file('a/sub/deep/4'))
      await apply(
        { name: 'a/n/9', content: 'x' },
        { name: 'a/sub/deep/new', content: 'x' },
        { name: 'lnk/m', content: 'x' },
        { name: 'a/.wh..wh..opq' },
      )
      expect(await names('a')).to.deep.equal([
        'm',
        'n',
        'n/9',
        'sub',
        'sub/deep',
        'sub/deep/new',
      ])
    })

    it('work through a link', async () => {
      await apply({ name: 'a/9' }, { name: 'lnk/.wh..wh..opq' })
      expect(await names('a')).to.deep.equal(['9'])
    })

    it('work at the root', async () => {
      await apply({ name: '.wh..wh..opq' }, { name: 'only' })
      expect(await names()).to.deep.equal(['only'])
    })

    it('make the directory that they speak of', async () => {
      await apply({ name: 'fresh/.wh..wh..opq' })
      expect(await names('fresh')).to.deep.equal([])
    })
  })

  describe('aufs’s own names', () => {
    it('are skipped at the root', async () => {
      const before = await names()
      await apply(
        { name: '.wh..wh.aufs', content: 'data' },
        { name: '.wh..wh.orph/', type: '5' },
        { name: '.wh..wh.plnk/', type: '5' },
      )
      expect(await names()).to.deep.equal(before)
    })

    it('give each link to a kept file a file of its own', async () => {
      const size = await apply(
        { name: '.wh..wh.plnk/', type: '5' },
        {
          name: '.wh..wh.plnk/10.20',
          content: 'kept',
          mode: 0o4755,
          uid: 3,
          mtime: 77,
        },
        { name: 'p1', type: '1', linkName: '.wh..wh.plnk/10.20' },
        { name: 'a/p2', type: '1', linkName: '/.wh..wh.plnk/10.20' },
      )
      for (const path of ['p1', 'a/p2']) {
        const { uid, mtimeMs, nlink } = await fs.lstat(at(path))
        expect(await text(path)).to.equal('kept')
        expect([uid, mtimeMs, nlink]).to.deep.equal([3, 77_000, 1])
        expect(await modeOf(path)).to.equal('4755')
      }
      expect(await isThere('.wh..wh.plnk')).to.equal(false)
      expect(size).to.equal(8)
    })

    it('refuse a link to a file that was not kept', async () => {
      const error = await refusal({
        name: 'p',
        type: '1',
        linkName: '.wh..wh.plnk/1.2',
      })
      expect(error.message).to.match(/"p".*"1\.2"/)
    })
  })
}
