import { expect } from 'chai'
import { Thread } from '../../src/base/thread.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import type { EchoCalls } from '../support/echo-thread.ts'

describe('Thread', () => {
  let thread: Thread<EchoCalls>
  beforeEach(() => {
    const module = new URL('../support/echo-thread.js', import.meta.url)
    thread = new Thread(module)
  })
  afterEach(() => thread.close())

  it('answers each call with its own result', async () => {
    const values = [1, 2, 3, 4, 5]
    const answers = values.map((value) => thread.call('twice', value))
    expect(await Promise.all(answers)).to.deep.equal([2, 4, 6, 8, 10])
  })

  it('throws here what was thrown there, code and all', async () => {
    const error = await expectRejection(
      thread.call('fail', 'no such thing', 'ENOENT'),
      Error,
      /^no such thing$/,
    )
    expect(error).to.have.property('code', 'ENOENT')
    expect(error.stack).to.include('echo-thread')
    expect(await thread.call('twice', 21)).to.equal(42)
  })

  it('starts anew after it has died, and fails what it had not answered', async () => {
    await expectRejection(thread.call('die'), Error)
    expect(await thread.call('twice', 4)).to.equal(8)
  })

  it('fails what is outstanding when it is closed', async () => {
    const outstanding = expectRejection(thread.call('twice', 1), Error)
    await thread.close()
    await outstanding
  })
})
