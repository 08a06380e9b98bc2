import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { withDeadline } from '../../src/base/deadline.ts'
import { UnavailableError } from '../../src/base/errors.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'

describe('withDeadline', () => {
  it('answers with what the work answers', async () => {
    expect(await withDeadline('Work', 1000, Promise.resolve(7))).to.equal(7)
  })

  it('fails as the work fails', async () => {
    const work = Promise.reject(new TypeError('broken'))
    await expectRejection(withDeadline('Work', 1000, work), TypeError)
  })

  it('calls work unavailable that takes too long, by its name', async () => {
    const work = sleep(60_000, undefined, { ref: false })
    await expectRejection(
      withDeadline('Mounting "db"', 10, work),
      UnavailableError,
      /^Mounting "db" did not finish within 0\.01 s$/,
    )
  })
})
