import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { currentRequestId, withRequestId } from '../../src/base/request-id.ts'

describe('withRequestId', () => {
  it('is known to all that a request starts, and to nobody else', async () => {
    const seen = await Promise.all(
      ['a', 'b'].map((id) =>
        withRequestId(id, async () => {
          await sleep(1)
          return currentRequestId()
        }),
      ),
    )
    expect(seen).to.deep.equal(['a', 'b'])
    expect(currentRequestId()).to.equal(undefined)
  })
})
