import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { freeze, thaw } from '../../src/linux/freeze.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useLoopFilesystem } from '../support/loop-filesystem.ts'

describe('freeze', () => {
  const disk = useLoopFilesystem('ext4', '32M')

  it('makes writers wait until the filesystem is thawed', async () => {
    await freeze(disk.path)
    let written = false
    const write = (async () => {
      await fs.writeFile(join(disk.path, 'file'), '')
      written = true
    })()
    await expectRejection(freeze(disk.path), Error, /EBUSY/)
    expect(written).to.equal(false)
    await thaw(disk.path)
    await write
    expect(written).to.equal(true)
  })

  it('says so where there is nothing to thaw', async () => {
    await expectRejection(thaw(disk.path), Error, /EINVAL/)
  })
})
