import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { collectYoungGarbage } from '../../src/base/young-garbage.ts'

const CHUNK = 64 << 20
const PATIENCE_MS = 5_000

describe('collectYoungGarbage', () => {
  it('frees a chunk that nobody has any more', async () => {
    collectYoungGarbage()
    const full = heldByNobody()
    collectYoungGarbage()
    // V8 gives the memory back from a thread of its own.
    const end = Date.now() + PATIENCE_MS
    while (outsideHeap() > full - CHUNK / 2 && Date.now() < end) await delay(5)
    expect(full - outsideHeap()).to.be.above(CHUNK / 2)
  })
})

/** Makes a chunk and forgets it. Answers what was held while it was there. */
function heldByNobody(): number {
  const chunk = Buffer.alloc(CHUNK)
  return outsideHeap() + (chunk[0] ?? 0)
}

function outsideHeap(): number {
  return process.memoryUsage().arrayBuffers
}
