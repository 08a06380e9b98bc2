import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { mayHang } from '../../src/linux/may-hang.ts'
import {
  type ServedDirectory,
  serveDirectory,
} from '../support/served-directory.ts'

describe('mayHang', () => {
  needs('root', 'bindfs')
  let served: ServedDirectory
  afterEach(() => served.close())
  const temp = useTempDir()
  beforeEach(async () => {
    served = await serveDirectory(temp.path)
  })

  it('tells a filesystem that has a server from one that has none', async () => {
    expect(await mayHang(temp.path)).to.equal(false)
    expect(await mayHang(join(temp.path, 'absent/too'))).to.equal(false)
    expect(await mayHang(served.path)).to.equal(true)
    expect(await mayHang(join(served.path, 'absent'))).to.equal(true)
    expect(await mayHang(`${served.path}beside`)).to.equal(false)
  })

  it('goes by where links lead, be they relative or not', async () => {
    await fs.symlink(served.path, join(temp.path, 'absolute'))
    await fs.symlink('./absolute', join(temp.path, 'relative'))
    await fs.symlink('loop', join(temp.path, 'loop'))
    for (const name of ['absolute', 'relative', 'relative/below']) {
      expect(await mayHang(join(temp.path, name)), name).to.equal(true)
    }
    expect(await mayHang(join(temp.path, 'loop'))).to.equal(false)
  })

  it('finds out without asking the server', async () => {
    await fs.symlink(join(served.path, 'below'), join(temp.path, 'link'))
    served.hang()
    expect(await mayHang(join(temp.path, 'link/deeper'))).to.equal(true)
    expect(await mayHang(temp.path)).to.equal(false)
  })
})
