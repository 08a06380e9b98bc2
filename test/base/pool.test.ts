import { expect } from 'chai'
import { Pool } from '../../src/base/pool.ts'

const NEVER = 2 ** 31 - 1

describe('Pool', () => {
  let made: number
  let ended: number[]

  beforeEach(() => {
    made = 0
    ended = []
  })

  function poolOf(size: number, patience: number): Pool<number> {
    return new Pool({
      make: () => (made += 1),
      end: async (item) => void ended.push(item),
      size,
      patience,
    })
  }

  it('makes no more for hundreds of tasks at once than it may lend', async () => {
    const pool = poolOf(3, NEVER)
    const work = Array.from({ length: 300 }, () =>
      pool.use(() => new Promise(setImmediate)),
    )
    await Promise.all(work)
    expect(made).to.equal(3)
    expect(ended).to.deep.equal([])
  })

  it('lends each to one task at a time, in the order they came', async () => {
    const pool = poolOf(2, NEVER)
    const busy = new Set<number>()
    const order: number[] = []
    const work = Array.from({ length: 20 }, (_, at) =>
      pool.use(async (item) => {
        expect(busy.has(item)).to.equal(false)
        busy.add(item)
        order.push(at)
        await new Promise(setImmediate)
        busy.delete(item)
      }),
    )
    await Promise.all(work)
    expect(order).to.deep.equal(Array.from({ length: 20 }, (_, at) => at))
  })

  it('makes only what is needed', async () => {
    const pool = poolOf(4, NEVER)
    for (let task = 0; task < 10; task++) await pool.use(async () => undefined)
    expect(made).to.equal(1)
  })

  it('takes back what a task failed with', async () => {
    const pool = poolOf(1, NEVER)
    const failing = pool.use(async () => {
      throw new Error('a rock')
    })
    const outcome = await Promise.allSettled([failing])
    expect(outcome[0].status).to.equal('rejected')
    expect(await pool.use(async (item) => item)).to.equal(1)
  })

  it('serves who comes when all that were lent never come back', async () => {
    const pool = poolOf(2, 1)
    const stuck = [await pool.borrow(), await pool.borrow()]
    const more = await Promise.all([pool.borrow(), pool.borrow()])
    expect(new Set([...stuck, ...more]).size).to.equal(4)
  })

  it('lets what was made in need go again, and keeps as many as before', async () => {
    const pool = poolOf(1, 1)
    const [one, other] = [await pool.borrow(), await pool.borrow()]
    await pool.giveBack(one)
    expect(ended).to.deep.equal([one])
    await pool.giveBack(other)
    expect(ended).to.deep.equal([one])
    expect(await pool.borrow()).to.equal(other)
  })
})
