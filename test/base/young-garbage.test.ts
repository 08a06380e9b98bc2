import { expect } from 'chai'
import { collectYoungGarbage } from '../../src/base/young-garbage.ts'

const MEBIBYTE = 1 << 20

describe('collectYoungGarbage', () => {
  it('frees chunks that nobody has any more', () => {
    collectYoungGarbage()
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 16; i++) Buffer.alloc(MEBIBYTE)
    const after = process.memoryUsage().arrayBuffers
    collectYoungGarbage()
    const freed = after - process.memoryUsage().arrayBuffers
    expect(after - before).to.be.above(8 * MEBIBYTE)
    expect(freed).to.be.above(8 * MEBIBYTE)
  })
})
