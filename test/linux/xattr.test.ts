import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  getXattr,
  listXattrs,
  removeXattr,
  setXattr,
} from '../../src/linux/xattr.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('Extended attributes', () => {
  needs('root')
  const home = useTempDir()
  let file = ''

  beforeEach(async () => {
    file = join(home.path, 'file')
    await fs.writeFile(file, '')
  })

  it('come back as they were set, in byte order, whatever their bytes', () => {
    const name = Buffer.from('user.\xff\xfe', 'latin1')
    const value = Buffer.from([0, 1, 10, 255, 0])
    setXattr(file, name, value)
    setXattr(file, 'trusted.empty', Buffer.alloc(0))
    expect(listXattrs(file)).to.deep.equal([Buffer.from('trusted.empty'), name])
    expect(getXattr(file, name)).to.deep.equal(value)
    expect(getXattr(file, 'trusted.empty')).to.deep.equal(Buffer.alloc(0))
  })

  it('may be far bigger than most are', () => {
    const value = Buffer.alloc(1800, 'x')
    setXattr(file, 'user.big', value)
    expect(getXattr(file, 'user.big')).to.deep.equal(value)
    for (let number = 0; number < 30; number += 1) {
      setXattr(file, `user.with-a-rather-long-name-${number}`, Buffer.alloc(0))
    }
    expect(listXattrs(file)).to.have.length(31)
  })

  it('belong to a link itself, and are read through it by nobody', async () => {
    const link = join(home.path, 'link')
    await fs.symlink('file', link)
    setXattr(file, 'trusted.of', Buffer.from('the file'))
    expect(getXattr(link, 'trusted.of')).to.equal(undefined)
    setXattr(link, 'trusted.of', Buffer.from('the link'))
    expect(String(getXattr(link, 'trusted.of'))).to.equal('the link')
    removeXattr(link, 'trusted.of')
    expect(listXattrs(link)).to.deep.equal([])
    expect(String(getXattr(file, 'trusted.of'))).to.equal('the file')
  })

  it('are read by descriptor as well', async () => {
    setXattr(file, 'user.x', Buffer.from('y'))
    const handle = await fs.open(file)
    try {
      expect(String(getXattr(handle.fd, 'user.x'))).to.equal('y')
      expect(getXattr(handle.fd, 'user.other')).to.equal(undefined)
    } finally {
      await handle.close()
    }
  })

  it('that are not there are removed without complaint', () => {
    removeXattr(file, 'user.absent')
    expect(getXattr(file, 'user.absent')).to.equal(undefined)
  })

  it('of a file that is not there are an error that names it', () => {
    expect(() => getXattr(`${file}x`, 'user.a')).to.throw(/ENOENT.*filex/)
    expect(() => listXattrs(`${file}x`)).to.throw(/ENOENT.*filex/)
    expect(() => setXattr(`${file}x`, 'user.a', Buffer.alloc(0))).to.throw(
      /ENOENT.*filex/,
    )
  })
})
