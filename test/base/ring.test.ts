import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { expect } from 'chai'
import { createRing, RingReader } from '../../src/base/ring.ts'

/** A producer of `count` bytes, each its position modulo 251. */
const PRODUCER = `
  import { workerData } from 'node:worker_threads'
  const { RingWriter, RingCancelled } = await import(workerData.module)
  let at = 0
  try {
    new RingWriter(workerData.memory).run((target) => {
      const length = Math.min(target.length, workerData.count - at, 100_000)
      for (let i = 0; i < length; i += 1) target[i] = (at + i) % 251
      at += length
      return length
    })
  } catch (error) {
    if (!(error instanceof RingCancelled)) throw error
  }
`

describe('A ring', () => {
  const memory = createRing()

  function produce(count: number): { reader: RingReader; exit: Promise<void> } {
    const reader = new RingReader(memory)
    const module = new URL('../../src/base/ring.js', import.meta.url).href
    const code = `data:text/javascript,${encodeURIComponent(PRODUCER)}`
    const workerData = { memory, count, module }
    const worker = new Worker(new URL(code), { workerData })
    const exit = (async () => {
      await once(worker, 'exit')
      reader.end()
    })()
    return { reader, exit }
  }

  it('hands over all bytes in their order, many times its size', async () => {
    const { reader, exit } = produce(5_000_000)
    let at = 0
    for (;;) {
      const bytes = await reader.take()
      if (bytes === undefined) break
      for (const byte of bytes) {
        if (byte !== at % 251) expect.fail(`wrong byte at ${at}`)
        at += 1
      }
      reader.giveBack()
    }
    await exit
    expect(at).to.equal(5_000_000)
  })

  it('keeps bytes as they are until they are given back', async () => {
    const { reader, exit } = produce(3_000_000)
    const first = await reader.take()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect([...first!.subarray(0, 3)]).to.deep.equal([0, 1, 2])
    reader.cancel()
    await exit
  })

  it('ends the producer that waits for a reader who has gone', async () => {
    const { reader, exit } = produce(1_000_000_000)
    expect(await reader.ready()).to.equal(true)
    reader.cancel()
    await exit
  })

  it('of a producer that has nothing is at its end', async () => {
    const { reader, exit } = produce(0)
    expect(await reader.ready()).to.equal(false)
    expect(await reader.take()).to.equal(undefined)
    await exit
  })
})
