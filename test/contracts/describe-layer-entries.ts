import * as fs from 'node:fs/promises'
import { expect } from 'chai'
import { type ApplyLayer, useLayer } from '../support/layer.ts'
import { build, directory, file, hardLink } from '../../src/conformance/tree.ts'

/** What entries make, and under which names. */
export function describeLayerEntries(applyLayer: ApplyLayer): void {
  const { dir, at, apply, refusal, names, text, isThere, modeOf } =
    useLayer(applyLayer)

  describe('making things', () => {
    it('makes missing directories open to all, and root’s', async () => {
      await apply({ name: 'x/y/z', uid: 5 })
      for (const path of ['x', 'x/y']) {
        const { uid, gid } = await fs.lstat(at(path))
        expect([await modeOf(path), uid, gid]).to.deep.equal(['755', 0, 0])
      }
    })

    it('gives the root of the layer what its entry says', async () => {
      await apply({ name: './', type: '5', mode: 0o700, uid: 5, mtime: 99 })
      const { uid, mtimeMs } = await fs.stat(dir.path)
      expect([await modeOf('.'), uid, mtimeMs]).to.deep.equal([
        '700',
        5,
        99_000,
      ])
    })

    it('takes absolute names from the root of the layer', async () => {
      await apply({ name: '/absolute', content: 'x' })
      expect(await text('absolute')).to.equal('x')
    })

    it('keeps names that lead above the root inside it', async () => {
      await apply(
        { name: '../one' },
        { name: '/../two' },
        { name: 'a/../../three' },
      )
      expect(await names()).to.include.members(['one', 'two', 'three'])
    })

    it('makes a file that is called ..gitme', async () => {
      await apply({ name: '..gitme', content: 'x' })
      expect(await text('..gitme')).to.equal('x')
    })

    it('replaces a file, and leaves the old one to its other names', async () => {
      await build(dir.path, hardLink('other', 'file'))
      await apply({ name: 'file', content: 'new' })
      expect(await text('file')).to.equal('new')
      expect(await text('other')).to.equal('from below')
    })

    it('puts anything over anything, and nothing of the old is left', async () => {
      await build(dir.path, directory('c'), file('c/deep', ''))
      await apply(
        { name: 'file/', type: '5' },
        { name: 'a', content: 'now a file' },
        { name: 'c', type: '2', linkName: 'b' },
        { name: 'lnk/', type: '5' },
        { name: 'abs', type: '6' },
      )
      expect(await names()).to.deep.equal(
        ['a', 'abs', 'b', 'c', 'file', 'lnk'].toSorted(),
      )
      expect((await fs.lstat(at('file'))).isDirectory()).to.equal(true)
      expect(await text('a')).to.equal('now a file')
      expect(await fs.readlink(at('c'))).to.equal('b')
      expect((await fs.lstat(at('lnk'))).isDirectory()).to.equal(true)
      expect((await fs.lstat(at('abs'))).isFIFO()).to.equal(true)
    })

    it('keeps what is in a directory that comes again, and changes the rest', async () => {
      await apply({ name: 'a/', type: '5', mode: 0o710, uid: 3, mtime: 7 })
      expect(await names('a')).to.deep.equal(['1', '2', 'sub', 'sub/3'])
      const { uid, mtimeMs } = await fs.stat(at('a'))
      expect([await modeOf('a'), uid, mtimeMs]).to.deep.equal(['710', 3, 7000])
    })

    it('lets the last of two entries of one path win', async () => {
      await apply(
        { name: 'dup', content: 'first' },
        { name: './dup', content: 'second' },
      )
      expect(await text('dup')).to.equal('second')
    })

    it('takes an old entry with a slash at its end for a directory', async () => {
      await apply({ name: 'old/', type: '\0' })
      expect((await fs.lstat(at('old'))).isDirectory()).to.equal(true)
    })

    it('expands sparse files', async () => {
      const map = Buffer.alloc(512)
      map.write('1\n1048576\n4\n')
      const size = await apply({
        name: 'GNUSparseFile.0/s',
        content: Buffer.concat([map, Buffer.from('tail')]),
        pax: {
          'GNU.sparse.major': '1',
          'GNU.sparse.minor': '0',
          'GNU.sparse.name': 's',
          'GNU.sparse.realsize': '2097152',
        },
      })
      expect(size).to.equal(2_097_152)
      const { size: apparent, blocks } = await fs.stat(at('s'))
      expect(apparent).to.equal(2_097_152)
      expect(blocks * 512).to.be.lessThan(1_000_000)
      const content = await fs.readFile(at('s'))
      expect(content.toString('utf8', 1_048_576, 1_048_580)).to.equal('tail')
      expect(content.filter((byte) => byte !== 0)).to.have.length(4)
    })

    it('makes long names in every way that tar has for them', async () => {
      const long = `${'n'.repeat(90)}/${'m'.repeat(200)}`
      await apply(
        { name: 'cut', pax: { path: `pax/${long}` } },
        { name: '././@LongLink', type: 'L', content: `gnu/${long}\0` },
        { name: 'cut' },
        { name: 'm'.repeat(80), prefix: `ustar/${'n'.repeat(90)}` },
      )
      expect(await isThere(`pax/${long}`)).to.equal(true)
      expect(await isThere(`gnu/${long}`)).to.equal(true)
      expect(
        await isThere(`ustar/${'n'.repeat(90)}/${'m'.repeat(80)}`),
      ).to.equal(true)
    })

    it('makes names of any bytes', async () => {
      const strange = [
        Buffer.from([0xff, 0xfe]),
        Buffer.from('new\nline'),
        Buffer.from('back\\slash'),
        Buffer.from('ünï'),
      ]
      await apply(...strange.map((name) => ({ name, content: 'x' })), {
        name: Buffer.concat([Buffer.from('a/'), strange[0]!]),
        type: '2',
        linkName: strange[0]!,
      })
      const found = await fs.readdir(dir.path, { encoding: 'latin1' })
      for (const name of strange) {
        expect(found).to.include(name.toString('latin1'))
      }
      const [link] = await fs
        .readdir(at('a'), { encoding: 'buffer' })
        .then((all) => all.filter((name) => name[0] === 0xff))
      const path = Buffer.concat([Buffer.from(`${at('a')}/`), link!])
      expect(await fs.readlink(path, { encoding: 'buffer' })).to.deep.equal(
        strange[0],
      )
    })

    it('ignores global PAX headers', async () => {
      await apply(
        { name: 'g', type: 'g', content: '12 path=evil\n' },
        { name: 'real' },
      )
      expect(await isThere('real')).to.equal(true)
      expect(await isThere('evil')).to.equal(false)
    })

    for (const type of ['7', 'Z']) {
      it(`refuses an entry of type ${type}`, async () => {
        const error = await refusal({ name: 'odd', type })
        expect(error.message).to.contain(
          `"odd" has the unhandled tar header type ${type.charCodeAt(0)}`,
        )
      })
    }

    it('makes a file below a file into an error that names it', async () => {
      const error = await refusal({ name: 'file/below' })
      expect(error.message).to.match(/"file\/below".*ENOTDIR/)
      expect(error).to.include({ code: 'ENOTDIR' })
    })
  })
}
