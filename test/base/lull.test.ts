import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Lull } from '../../src/base/lull.ts'

describe('Lull', () => {
  let began: number
  let lull: Lull
  beforeEach(() => {
    began = 0
    lull = new Lull(() => (began += 1))
  })
  afterEach(() => lull.cancel())

  /** Keeps coming with more to do, until something is begun or `limit` has passed. */
  async function insist(limit: number): Promise<void> {
    const since = performance.now()
    while (began === 0 && performance.now() - since < limit) {
      lull.putOff()
      await sleep(5)
    }
  }

  it('begins once, a moment after the last of many', async () => {
    for (let count = 0; count < 3; count++) lull.putOff()
    expect(began).to.equal(0)
    while (began === 0) await sleep(5)
    await sleep(100)
    expect(began).to.equal(1)
  })

  it('is put off while more comes', async () => {
    await insist(300)
    expect(began).to.equal(0)
  })

  it('is not put off for ever', async () => {
    await insist(60_000)
    expect(began).to.equal(1)
  })

  it('can be had again', async () => {
    for (const times of [1, 2]) {
      lull.putOff()
      while (began < times) await sleep(5)
    }
  })

  it('does not come when it was cancelled', async () => {
    lull.putOff()
    lull.cancel()
    await sleep(100)
    expect(began).to.equal(0)
  })
})
