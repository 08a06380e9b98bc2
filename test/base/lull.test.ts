import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Lull } from '../../src/base/lull.ts'

describe('Lull', () => {
  let begun: number[]
  let lull: Lull
  beforeEach(() => {
    begun = []
    lull = new Lull(() => begun.push(performance.now()))
  })
  afterEach(() => lull.cancel())

  /** Keeps coming with more to do, until something is begun or `limit` has passed. */
  async function insist(limit: number): Promise<void> {
    const since = performance.now()
    while (begun.length === 0 && performance.now() - since < limit) {
      lull.putOff()
      await sleep(5)
    }
  }

  it('begins once, a moment after the last of many', async () => {
    for (let count = 0; count < 3; count++) lull.putOff()
    expect(begun).to.have.length(0)
    while (begun.length === 0) await sleep(5)
    await sleep(100)
    expect(begun).to.have.length(1)
  })

  it('is put off while more comes', async () => {
    await insist(300)
    expect(begun).to.have.length(0)
  })

  it('is not put off for ever', async () => {
    await insist(60_000)
    expect(begun).to.have.length(1)
  })

  it('can be had again', async () => {
    lull.putOff()
    while (begun.length < 1) await sleep(5)
    lull.putOff()
    while (begun.length < 2) await sleep(5)
  })

  it('does not come when it was cancelled', async () => {
    lull.putOff()
    lull.cancel()
    await sleep(100)
    expect(begun).to.have.length(0)
  })
})
