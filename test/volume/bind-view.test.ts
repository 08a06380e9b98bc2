import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { isErrno } from '../../src/base/errors.ts'
import { readMountInfo } from '../../src/linux/mountinfo.ts'
import { hideView, showView } from '../../src/volume/bind-view.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('showView', () => {
  needs('root')
  const home = useTempDir()
  let directory: string
  let view: string

  beforeEach(async () => {
    directory = join(home.path, 'data')
    view = join(home.path, 'view')
    await fs.mkdir(directory)
    await fs.mkdir(view)
    await fs.writeFile(join(directory, 'file'), '')
  })

  const mounts = async (): Promise<number> =>
    (await readMountInfo()).filter(({ mountpoint }) => mountpoint === view)
      .length

  const isWritable = async (): Promise<boolean> => {
    try {
      await fs.writeFile(join(view, 'other'), '')
      return true
    } catch (error) {
      if (!isErrno(error, 'EROFS')) throw error
      return false
    }
  }

  it('shows a directory, writable or not as asked', async () => {
    await showView(directory, view, { readonly: false })
    expect(await fs.readdir(view)).to.deep.equal(['file'])
    expect(await isWritable()).to.equal(true)
    await hideView(view)
    await showView(directory, view, { readonly: true })
    expect(await isWritable()).to.equal(false)
  })

  it('shows it once, however often it is asked to', async () => {
    for (const readonly of [false, false]) {
      await showView(directory, view, { readonly })
    }
    expect(await mounts()).to.equal(1)
    for (const readonly of [true, true, false]) {
      await showView(directory, view, { readonly })
    }
    expect(await mounts()).to.equal(2)
    expect(await isWritable()).to.equal(false)
    await hideView(view)
    expect(await mounts()).to.equal(0)
    expect(await fs.readdir(view)).to.deep.equal([])
  })

  it('lets files that are being written be finished', async () => {
    await showView(directory, view, { readonly: false })
    const file = await fs.open(join(view, 'table'), 'w')
    await showView(directory, view, { readonly: true })
    await file.writeFile('rows')
    await file.close()
    expect(await fs.readFile(join(view, 'table'), 'utf8')).to.equal('rows')
  })
})
