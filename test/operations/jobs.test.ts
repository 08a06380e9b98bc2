import { once } from 'node:events'
import { expect } from 'chai'
import { NotFoundError } from '../../src/base/errors.ts'
import { withRequestId } from '../../src/base/request-id.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import type { Working } from '../../src/operations/job.ts'
import { Jobs } from '../../src/operations/jobs.ts'

const SUBJECT = { kind: 'clone', subject: 'db' }

describe('Jobs', () => {
  let jobs: Jobs
  beforeEach(() => {
    jobs = new Jobs()
  })

  it('are known from their start, with who began them', async () => {
    const job = withRequestId('r1', () => jobs.start(SUBJECT, untilCancelled))
    expect(job).to.include({ ...SUBJECT, state: 'running', request: 'r1' })
    expect(jobs.list()).to.deep.equal([job])
    await jobs.close()
  })

  it('keep what came of them', async () => {
    const done = jobs.start(SUBJECT, async () => 7)
    const failed = jobs.start(SUBJECT, async () => {
      throw new NotFoundError('It is not there')
    })
    await jobs.close()
    expect(jobs.get(done.id)).to.include({ state: 'done', result: 7 })
    expect(jobs.get(failed.id).state).to.equal('failed')
    expect(jobs.get(failed.id).error).to.be.instanceOf(NotFoundError)
  })

  it('end when they are cancelled, before that is answered', async () => {
    const { id } = jobs.start(SUBJECT, untilCancelled)
    expect(await jobs.cancel(id)).to.include({ state: 'cancelled' })
    expect(await jobs.cancel(id)).to.include({ state: 'cancelled' })
  })

  it('can be followed to their end', async () => {
    let advance: Working['progress'] | undefined
    const ending = new AbortController()
    const { id } = jobs.start(SUBJECT, async ({ progress }) => {
      advance = progress
      await once(ending.signal, 'abort')
    })
    const seen: number[] = []
    for await (const { progress } of jobs.follow(id, ending.signal)) {
      seen.push(progress.done)
      if (seen.length === 1) advance?.({ done: 5, unit: 'bytes' })
      else break
    }
    ending.abort()
    expect(seen).to.deep.equal([0, 5])
    const states: string[] = []
    const { signal } = new AbortController()
    for await (const { state } of jobs.follow(id, signal)) states.push(state)
    expect(states.at(-1)).to.equal('done')
  })

  it('are forgotten a hundred later, but never while they run', async () => {
    const running = jobs.start(SUBJECT, untilCancelled)
    const first = jobs.start(SUBJECT, async () => undefined)
    for (let nth = 0; nth < 150; nth++) {
      await jobs.run(SUBJECT, async () => undefined)
    }
    expect(jobs.list().length).to.be.at.most(101)
    expect(jobs.get(running.id).state).to.equal('running')
    expect(() => jobs.get(first.id)).to.throw(NotFoundError)
    await jobs.close()
  })

  it('tell their caller how they went', async () => {
    expect(await jobs.run(SUBJECT, async () => 7)).to.equal(7)
    const failing = jobs.run(SUBJECT, async () => {
      throw new NotFoundError('It is not there')
    })
    await expectRejection(failing, NotFoundError)
  })
})

async function untilCancelled({ signal }: Working): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
  signal.throwIfAborted()
}
