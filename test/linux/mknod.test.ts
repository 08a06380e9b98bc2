import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { deviceNumber, mknod } from '../../src/linux/mknod.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('mknod', () => {
  needs('root')
  const home = useTempDir()

  it('makes devices whose numbers read back the same, up to the largest', async () => {
    const numbers = [
      { major: 1, minor: 3 },
      { major: 7, minor: 300 },
      { major: 4095, minor: 1_048_575 },
    ]
    for (const [index, number] of numbers.entries()) {
      const path = join(home.path, `${index}`)
      mknod(path, 'block', 0o640, number)
      const stat = await fs.lstat(path)
      expect(stat.isBlockDevice()).to.equal(true)
      expect(stat.mode & 0o7777).to.equal(0o640)
      expect(deviceNumber(stat.rdev)).to.deep.equal(number)
    }
  })

  it('makes FIFOs, sockets and the 0:0 device that means a whiteout', async () => {
    mknod(join(home.path, 'fifo'), 'fifo', 0o600)
    mknod(join(home.path, 'socket'), 'socket', 0o600)
    mknod(join(home.path, 'whiteout'), 'character', 0)
    expect((await fs.lstat(join(home.path, 'fifo'))).isFIFO()).to.equal(true)
    expect((await fs.lstat(join(home.path, 'socket'))).isSocket()).to.equal(
      true,
    )
    const whiteout = await fs.lstat(join(home.path, 'whiteout'))
    expect(whiteout.isCharacterDevice()).to.equal(true)
    expect(whiteout.rdev).to.equal(0)
  })
})
