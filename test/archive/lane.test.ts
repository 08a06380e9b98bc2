import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { RingCutError } from '../../src/archive/byte-ring.ts'
import { Lane } from '../../src/archive/lane.ts'

const LANE = new URL('../../src/archive/lane.js', import.meta.url).href

describe('Lane', () => {
  it('waits for nobody when it is alone', () => {
    const lane = Lane.alone()
    expect(lane.isFirst).to.equal(true)
    lane.awaitOthers(1000)
    lane.awaitOthersAtEnd()
  })

  it('goes on where another has come that far already', () => {
    const shared = new SharedArrayBuffer(2 * Lane.SHARED_BYTES)
    const [one, other] = [0, 1].map((n) => new Lane(n, shared, () => false))
    other!.arrive(7)
    one!.awaitOthers(7)
    expect(one!.awaitLane(1, 3)).to.equal(7)
    other!.arriveAtEnd()
    one!.awaitOthersAtEnd()
  })

  it('waits until another thread has come that far', async () => {
    const shared = new SharedArrayBuffer(2 * Lane.SHARED_BYTES)
    const worker = new Worker(
      `const { workerData } = require('node:worker_threads')
       import(workerData.module).then(({ Lane }) => {
         const lane = new Lane(1, workerData.shared, () => false)
         for (let entry = 1; entry <= 1000; entry++) lane.arrive(entry)
       })`,
      { eval: true, workerData: { shared, module: LANE } },
    )
    const lane = new Lane(0, shared, () => false)
    // Should nobody wake it, it would wait for the length of this test.
    await new Promise((resolve) => worker.once('online', resolve))
    lane.awaitOthers(1000)
    await worker.terminate()
  })

  it('gives up waiting once all has been given up', () => {
    const shared = new SharedArrayBuffer(2 * Lane.SHARED_BYTES)
    const lane = new Lane(0, shared, () => true)
    expect(() => lane.awaitOthers(1)).to.throw(RingCutError)
  })
})
