import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import {
  isBelow,
  parseFreeMark,
  parseKeepFor,
} from '../../src/operations/trash-limits.ts'

describe('The limits of the trash', () => {
  it('are read as they are written', () => {
    expect(parseKeepFor('24h')).to.equal(24 * 3600 * 1000)
    expect(parseKeepFor('90s')).to.equal(90_000)
    expect(parseKeepFor('7d')).to.equal(7 * 86_400_000)
    expect(parseKeepFor('0')).to.equal(0)
    expect(parseFreeMark('5%')).to.deep.equal({ percent: 5 })
    expect(parseFreeMark('0%')).to.deep.equal({ percent: 0 })
  })

  it('are refused in words that say how to write them', () => {
    for (const text of ['', '24', 'h', '-1h', '1.5h', '1w', '24 h']) {
      expect(() => parseKeepFor(text)).to.throw(InvalidArgumentError, /24h/)
    }
    for (const text of ['', '5', '%', '100%', '-1%', '5 GB']) {
      expect(() => parseFreeMark(text)).to.throw(InvalidArgumentError, /99%/)
    }
  })

  it('compare what is free with what all is', () => {
    expect(isBelow({ total: 1000, free: 49 }, { percent: 5 })).to.equal(true)
    expect(isBelow({ total: 1000, free: 50 }, { percent: 5 })).to.equal(false)
    expect(isBelow({ total: 1000, free: 0 }, { percent: 0 })).to.equal(false)
  })
})
