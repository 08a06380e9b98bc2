import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { NotFoundError, UnavailableError } from '../../src/base/errors.ts'
import { SideProcess } from '../../src/base/side-process.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import type { EchoProcessCalls } from '../support/echo-process.ts'

describe('SideProcess', () => {
  let notes: unknown[]
  let echo: SideProcess<EchoProcessCalls>
  beforeEach(() => {
    notes = []
    echo = new SideProcess({
      module: new URL('../support/echo-process.js', import.meta.url),
      what: 'Echo',
      patience: 100,
      lengthy: ['wait'],
      onNote: (note) => notes.push(note),
    })
  })
  afterEach(() => echo.abandon())

  it('answers each call with its own result, and notes come in between', async () => {
    const told = echo.call('tell', 'hello')
    const answers = [1, 2, 3].map((value) => echo.call('twice', value))
    expect(await Promise.all(answers)).to.deep.equal([2, 4, 6])
    await told
    expect(notes).to.deep.equal(['hello'])
  })

  it('throws here what was thrown there, kind and code and all', async () => {
    const failure = echo.call('fail', 'no such thing', 'ENOENT')
    const error = await expectRejection(failure, Error, /^no such thing$/)
    expect(error).to.have.property('code', 'ENOENT')
    await expectRejection(echo.call('miss', 'gone'), NotFoundError, /^gone$/)
  })

  it('is beside this process, and starts anew after it has died', async () => {
    const first = await echo.call('pid')
    expect(first).to.not.equal(process.pid)
    await expectRejection(echo.call('die'), UnavailableError, /ended/)
    expect(await echo.call('pid')).to.not.equal(first)
  })

  it('refuses at once what would wait behind a call without an answer', async () => {
    const pid = await echo.call('pid')
    process.kill(pid, 'SIGSTOP')
    const stuck = echo.call('twice', 2)
    await sleep(150)
    await expectRejection(echo.call('twice', 1), UnavailableError, /not answer/)
    process.kill(pid, 'SIGCONT')
    expect(await stuck).to.equal(4)
    expect(await echo.call('twice', 3)).to.equal(6)
  })

  it('does not take what may take long for a call without an answer', async () => {
    const long = echo.call('wait', 300)
    await sleep(150)
    expect(await echo.call('twice', 1)).to.equal(2)
    await long
  })

  it('fails what is outstanding when it is abandoned', async () => {
    const outstanding = expectRejection(
      echo.call('wait', 5000),
      UnavailableError,
    )
    echo.abandon()
    await outstanding
  })
})
