import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { dataRanges } from '../../src/linux/data-ranges.ts'
import type { ByteRange } from '../../src/linux/reflink.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const MIB = 1024 * 1024

describe('dataRanges', () => {
  const home = useTempDir()

  it('finds the data between the holes', async () => {
    const block = Buffer.alloc(65_536, 1)
    const ranges = await rangesOf(async (file) => {
      await file.write(block, 0, block.length, MIB)
      await file.write(block, 0, block.length, 3 * MIB)
      await file.truncate(8 * MIB)
    })
    expect(ranges).to.deep.equal([
      { start: MIB, end: MIB + block.length },
      { start: 3 * MIB, end: 3 * MIB + block.length },
    ])
  })

  it('finds one part in a file without holes, and none in a hole', async () => {
    expect(await rangesOf((file) => file.writeFile('text'))).to.deep.equal([
      { start: 0, end: 4 },
    ])
    expect(await rangesOf((file) => file.truncate(MIB))).to.deep.equal([])
    expect(await rangesOf(async () => {})).to.deep.equal([])
  })

  async function rangesOf(fill: (file: fs.FileHandle) => Promise<void>) {
    await using file = await fs.open(join(home.path, 'file'), 'w+')
    await fill(file)
    const ranges: ByteRange[] = []
    for await (const range of dataRanges(file)) ranges.push(range)
    return ranges
  }
})
