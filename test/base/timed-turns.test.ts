import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { UnavailableError } from '../../src/base/errors.ts'
import { TimedTurns } from '../../src/base/timed-turns.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'

describe('TimedTurns', () => {
  it('lets tasks of one key take turns, and others run at once', async () => {
    const turns = new TimedTurns(1000)
    const order: string[] = []
    await Promise.all([
      turns.run(['a'], 'One', async () => {
        await sleep(20)
        order.push('first of a')
      }),
      turns.run(['a'], 'Two', async () => order.push('second of a')),
      turns.run(['b'], 'Three', async () => order.push('b')),
    ])
    expect(order).to.deep.equal(['b', 'first of a', 'second of a'])
  })

  it('gives up a caller that waits too long, and tells the task', async () => {
    const turns = new TimedTurns(20)
    const late: boolean[] = []
    const work = turns.run(['a'], 'Digging', async (turn) => {
      late.push(turn.isLate)
      await sleep(50)
      late.push(turn.isLate)
    })
    await expectRejection(work, UnavailableError, /Digging did not finish/)
    await sleep(60)
    expect(late).to.deep.equal([false, true])
  })

  it('never begins a task whose caller has gone', async () => {
    const turns = new TimedTurns(20)
    let begun = false
    const slow = turns.run(['a'], 'Digging', () => sleep(60))
    const waiting = turns.run(['a'], 'Filling', async () => {
      begun = true
    })
    await expectRejection(waiting, UnavailableError, /Filling did not finish/)
    await expectRejection(slow, UnavailableError)
    await sleep(80)
    expect(begun).to.equal(false)
  })

  it('keeps nobody waiting behind a task that is stuck, until it has ended', async () => {
    const turns = new TimedTurns(20)
    const freed = new AbortController()
    const stuck = turns.run(['a', 'b'], 'Digging', () =>
      once(freed.signal, 'abort'),
    )
    await expectRejection(stuck, UnavailableError, /Digging did not finish/)
    await sleep(30)
    for (const key of ['a', 'b']) {
      await expectRejection(
        turns.run([key], 'Filling', async () => undefined),
        UnavailableError,
        /Filling was not begun: digging has not ended after 0 s/,
      )
    }
    freed.abort()
    await sleep(0)
    expect(await turns.run(['a'], 'Filling', async () => 'done')).to.equal(
      'done',
    )
  })

  it('waits for its turn at several keys, however they are ordered', async () => {
    const turns = new TimedTurns(1000)
    const order: string[] = []
    const note = (what: string) => async () => {
      await sleep(5)
      order.push(what)
    }
    await Promise.all([
      turns.run(['a', 'b'], 'One', note('one')),
      turns.run(['b', 'a', 'b'], 'Two', note('two')),
      turns.run(['b'], 'Three', note('three')),
    ])
    expect(order).to.have.members(['one', 'two', 'three'])
    expect(order.indexOf('one')).to.be.below(order.indexOf('two'))
  })

  it('passes on what the task throws', async () => {
    const turns = new TimedTurns(1000)
    const work = turns.run(['a'], 'Digging', async () => {
      throw new Error('a rock')
    })
    await expectRejection(work, Error, /a rock/)
  })
})
