import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { Given } from '../../src/cli/given.ts'

describe('What is given to a verb', () => {
  const given = new Given(
    new Map<string, string | boolean | readonly string[]>([
      ['name', 'db'],
      ['force', true],
      ['opt', ['mode=0750', 'label.a=b=c', 'ro']],
      ['twice', ['a=1', 'a=2']],
      ['last', '12'],
      ['level', 'debug'],
    ]),
  )

  it('is read by its name and its kind', () => {
    expect(given.text('name')).to.equal('db')
    expect(given.maybe('other')).to.equal(undefined)
    expect(given.flag('force')).to.equal(true)
    expect(given.flag('other')).to.equal(false)
    expect(given.list('opt')).to.have.length(3)
    expect(given.count('last')).to.equal(12)
    expect(given.choice('level', ['info', 'debug'])).to.equal('debug')
    expect(given.pairs('opt')).to.deep.equal({
      mode: '0750',
      'label.a': 'b=c',
      ro: '',
    })
  })

  it('is refused where it is not what it should be', () => {
    const refusals = [
      () => given.count('name'),
      () => given.choice('level', ['info']),
      () => given.pairs('twice'),
    ]
    for (const refusal of refusals)
      expect(refusal).to.throw(InvalidArgumentError)
  })
})
