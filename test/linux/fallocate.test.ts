import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { reserve } from '../../src/linux/fallocate.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('reserve', () => {
  const home = useTempDir()

  it('takes the room for a file that is still empty', async () => {
    await using file = await fs.open(join(home.path, 'file'), 'w')
    await reserve(file, 1_000_000)
    const { size, blocks } = await file.stat()
    expect(size).to.equal(1_000_000)
    expect(blocks * 512).to.be.at.least(1_000_000)
  })
})
