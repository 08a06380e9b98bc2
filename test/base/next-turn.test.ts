import { expect } from 'chai'
import { isTurnOver, nextTurn } from '../../src/base/next-turn.ts'
import { busy, countTurns } from '../support/turns.ts'

describe('isTurnOver', () => {
  it('is said once enough was computed', async () => {
    await nextTurn()
    busy()
    expect(isTurnOver()).to.equal(true)
  })

  it('counts what others have computed in the same turn', async () => {
    const said: boolean[] = []
    const compute = async (): Promise<void> => {
      said.push(isTurnOver())
      busy()
    }
    await Promise.all([compute(), compute()])
    expect(said[1]).to.equal(true)
  })
})

describe('nextTurn', () => {
  it('lets the event loop go round', async () => {
    const { turns } = await countTurns(nextTurn)
    expect(turns).to.be.at.least(1)
  })

  it('gives each who waits a turn of his own, in the order they came', async () => {
    const order: number[] = []
    const wait = async (nth: number): Promise<void> => {
      await nextTurn()
      order.push(nth)
    }
    const { turns } = await countTurns(() =>
      Promise.all([wait(1), wait(2), wait(3)]),
    )
    expect(order).to.deep.equal([1, 2, 3])
    expect(turns).to.be.above(1)
  })
})
