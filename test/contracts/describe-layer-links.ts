import * as fs from 'node:fs/promises'
import { expect } from 'chai'
import { type ApplyLayer, useLayer } from '../support/layer.ts'

/** Links of both kinds: made, and met on the way. */
export function describeLayerLinks(applyLayer: ApplyLayer): void {
  const { at, apply, refusal, text, modeOf } = useLayer(applyLayer)

  describe('links', () => {
    it('writes through a relative link to a directory, and keeps the link', async () => {
      await apply({ name: 'lnk/new', content: 'x' })
      expect(await text('a/new')).to.equal('x')
      expect((await fs.lstat(at('lnk'))).isSymbolicLink()).to.equal(true)
    })

    it('writes through an absolute link within the layer', async () => {
      await apply({ name: 'abs/new', content: 'x' })
      expect(await text('b/new')).to.equal('x')
    })

    it('makes what a link leads to, inside, when it is not there', async () => {
      await apply(
        { name: 's', type: '2', linkName: '/etc' },
        { name: 's/pwn', content: 'x' },
        { name: 'a/t', type: '2', linkName: '../../../../var//log/' },
        { name: 'a/t/pwn', content: 'y' },
        { name: 'one', type: '2', linkName: 'two' },
        { name: 'two', type: '2', linkName: '/three/four' },
        { name: 'one/pwn', content: 'z' },
      )
      expect(await text('etc/pwn')).to.equal('x')
      expect(await text('var/log/pwn')).to.equal('y')
      expect(await text('three/four/pwn')).to.equal('z')
      expect(await modeOf('etc')).to.equal('755')
    })

    it('goes by what took the place of a link that led there', async () => {
      await apply(
        { name: 'self', type: '2', linkName: '.' },
        { name: 'self/self', content: 'x' },
        { name: 'self/.wh.self' },
      )
      expect(await text('self')).to.equal('x')
    })

    it('ends with an error where links lead in a circle', async () => {
      const error = await refusal(
        { name: 'x', type: '2', linkName: 'y' },
        { name: 'y', type: '2', linkName: 'x' },
        { name: 'x/file' },
      )
      expect(error.message).to.match(/"x\/file".*ELOOP/)
    })

    it('links to files of this layer and of those below', async () => {
      await apply(
        { name: 'f', content: 'x' },
        { name: 'h', type: '1', linkName: 'f' },
        { name: 'below', type: '1', linkName: '/a/1' },
        { name: 'dots', type: '1', linkName: '../../a/1' },
      )
      const inode = async (path: string): Promise<number> =>
        (await fs.lstat(at(path))).ino
      expect(await inode('h')).to.equal(await inode('f'))
      expect(await inode('below')).to.equal(await inode('a/1'))
      expect(await inode('dots')).to.equal(await inode('a/1'))
      expect((await fs.lstat(at('a/1'))).nlink).to.equal(3)
    })

    it('links to a symlink itself', async () => {
      await apply(
        { name: 's', type: '2', linkName: '/etc/passwd' },
        { name: 'h', type: '1', linkName: 's' },
      )
      const stat = await fs.lstat(at('h'))
      expect(stat.isSymbolicLink()).to.equal(true)
      expect(stat.ino).to.equal((await fs.lstat(at('s'))).ino)
    })

    it('resolves the name of a link’s target inside the layer', async () => {
      await apply(
        { name: 'etc/passwd', content: 'inside' },
        { name: 's', type: '2', linkName: '/etc' },
        { name: 'h', type: '1', linkName: 's/passwd' },
      )
      expect(await text('h')).to.equal('inside')
      await fs.rm(at('etc/passwd'))
      const error = await refusal({
        name: 'again',
        type: '1',
        linkName: '../../../../etc/passwd',
      })
      expect(error.message).to.match(/"again".*ENOENT/)
    })

    it('refuses a link to what is missing or comes later', async () => {
      await refusal({ name: 'h', type: '1', linkName: 'missing' })
      await refusal(
        { name: 'h', type: '1', linkName: 'later' },
        { name: 'later' },
      )
    })

    it('refuses a link to a directory', async () => {
      const error = await refusal({ name: 'h', type: '1', linkName: 'a' })
      expect(error.message).to.match(/"h".*EPERM/)
    })

    it('leaves a file alone that is linked to itself', async () => {
      await apply(
        { name: 'file', type: '1', linkName: 'file' },
        { name: 'a/1', type: '1', linkName: './lnk/1' },
      )
      expect(await text('file')).to.equal('from below')
      expect(await text('a/1')).to.equal('one')
    })

    it('lets a link’s entry describe the file that it shares', async () => {
      await apply(
        { name: 'f', content: 'x', mode: 0o644 },
        { name: 'h', type: '1', linkName: 'f', mode: 0o4711, mtime: 9 },
      )
      expect(await modeOf('f')).to.equal('4711')
      expect((await fs.stat(at('f'))).mtimeMs).to.equal(9000)
    })
  })
}
