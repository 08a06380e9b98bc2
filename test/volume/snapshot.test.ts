import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import {
  checkSnapshotName,
  formatCloneSource,
  nameByTime,
  parseCloneSource,
} from '../../src/volume/snapshot.ts'

describe('What a clone begins as', () => {
  it('is a volume, or one of its snapshots', () => {
    expect(parseCloneSource('db')).to.deep.equal({ volume: 'db' })
    const source = parseCloneSource('db@monday')
    expect(source).to.deep.equal({ volume: 'db', snapshot: 'monday' })
    expect(formatCloneSource(source)).to.equal('db@monday')
    expect(formatCloneSource({ volume: 'db' })).to.equal('db')
  })

  for (const text of [
    '',
    '@',
    'db@',
    '@monday',
    'db@a@b',
    '../db',
    'db@../a',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(() => parseCloneSource(text)).to.throw(
        InvalidArgumentError,
        'is neither VOLUME nor VOLUME@SNAPSHOT',
      )
    })
  }
})

describe('The name of a snapshot', () => {
  it('is one of letters, digits and a few signs', () => {
    checkSnapshotName('before-upgrade_2.1')
    for (const name of ['', '.', '..', 'a/b', 'a@b', 'x'.repeat(129)]) {
      expect(() => checkSnapshotName(name)).to.throw(InvalidArgumentError)
    }
  })

  it('is made of the time where nobody gives one', () => {
    const name = nameByTime(new Date('2026-11-21T09:05:07.123Z'))
    expect(name).to.equal('20261121-090507.123')
    checkSnapshotName(name)
  })
})
