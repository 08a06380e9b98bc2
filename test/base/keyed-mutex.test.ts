import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { KeyedMutex } from '../../src/base/keyed-mutex.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'

describe('KeyedMutex', () => {
  it('runs tasks of one key one after the other, in their order', async () => {
    const turns = new KeyedMutex()
    const events: string[] = []
    await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        turns.run('key', async () => {
          events.push(`${name} in`)
          await sleep(2)
          events.push(`${name} out`)
        }),
      ),
    )
    expect(events.join()).to.equal('a in,a out,b in,b out,c in,c out')
  })

  it('runs tasks of different keys side by side', async () => {
    const turns = new KeyedMutex()
    const slow = turns.run('slow', () => sleep(1000, undefined, { ref: false }))
    expect(await turns.run('quick', async () => 'done')).to.equal('done')
    expect(turns.isBusy('slow')).to.equal(true)
    void slow
  })

  it('goes on after a task that failed', async () => {
    const turns = new KeyedMutex()
    const failing = turns.run('key', async () => {
      throw new TypeError('no')
    })
    const next = turns.run('key', async () => 'done')
    await expectRejection(failing, TypeError, /no/)
    expect(await next).to.equal('done')
  })

  it('forgets a key that nobody waits for', async () => {
    const turns = new KeyedMutex()
    await turns.run('key', async () => undefined)
    expect(turns.isBusy('key')).to.equal(false)
  })
})
