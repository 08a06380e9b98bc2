import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import { assert, integer, property, string } from 'fast-check'
import { ProgressBar, progressLine } from '../../src/cli/progress-bar.ts'
import { Terminal } from '../../src/cli/terminal.ts'

const GIB = 1024 ** 3

describe('A progress bar', () => {
  it('tells how much is done, how fast it goes, and how long it will', () => {
    const progress = { done: GIB, total: 4 * GIB, unit: 'bytes' } as const
    const line = progressLine('Exporting db', progress, {
      seconds: 10,
      width: 79,
    })
    expect(line).to.equal(
      'Exporting db  ████░░░░░░░░░░░░░  25%  1.0 GiB of 4.0 GiB  102 MiB/s  0:30 left',
    )
  })

  it('has no bar while nobody knows how much there is', () => {
    const progress = { done: 7, unit: 'entries' } as const
    const line = progressLine('Cloning db', progress, { seconds: 1, width: 79 })
    expect(line).to.equal('Cloning db  7')
  })

  it('never breaks the line', () => {
    const amount = integer({ min: 0, max: 2 ** 50 })
    assert(
      property(
        amount,
        amount,
        integer({ min: 40, max: 200 }),
        string({ maxLength: 300 }),
        (done, total, width, label) => {
          const options = { seconds: 3, width }
          const progress = { done, total, unit: 'bytes' } as const
          const line = progressLine(label, progress, options)
          expect(line.length).to.be.at.most(width)
        },
      ),
    )
  })

  it('is not drawn where nobody watches', () => {
    const [out, err] = [new PassThrough(), new PassThrough()]
    const bar = new ProgressBar('Exporting db', new Terminal(out, err))
    bar.show({ done: 1, total: 2, unit: 'bytes' })
    bar.finish({ done: 2, total: 2, unit: 'bytes' })
    bar.clear()
    expect([out.read(), err.read()]).to.deep.equal([null, null])
  })
})
