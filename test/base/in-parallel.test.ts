import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { inParallel } from '../../src/base/in-parallel.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'

describe('inParallel', () => {
  it('gives results in the order of the items, whichever is ready first', async () => {
    const results = await inParallel([30, 1, 10], 3, async (delay) => {
      await sleep(delay)
      return delay * 2
    })
    expect(results).to.deep.equal([60, 2, 20])
  })

  it('has as many tasks under way as it may, and no more', async () => {
    let running = 0
    let most = 0
    await inParallel([...Array(20).keys()], 4, async () => {
      most = Math.max(most, ++running)
      await sleep(1)
      running--
    })
    expect(most).to.equal(4)
  })

  it('begins no task after one has failed', async () => {
    const begun: number[] = []
    const work = inParallel([1, 2, 3, 4, 5], 2, async (item) => {
      begun.push(item)
      await sleep(item)
      if (item === 1) throw new Error('broken')
    })
    await expectRejection(work, Error, /broken/)
    await sleep(20)
    expect(begun).to.deep.equal([1, 2])
  })

  it('is content with nothing to do', async () => {
    expect(await inParallel([], 4, async () => 1)).to.deep.equal([])
  })
})
