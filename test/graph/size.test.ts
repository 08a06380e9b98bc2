import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { parseSize } from '../../src/graph/size.ts'

const MIB = 1024 * 1024

describe('A size among storage options', () => {
  it('is read in the units that Docker has', () => {
    expect(parseSize('20M')).to.equal(20 * MIB)
    expect(parseSize('20m')).to.equal(20 * MIB)
    expect(parseSize('20MB')).to.equal(20 * MIB)
    expect(parseSize('20MiB')).to.equal(20 * MIB)
    expect(parseSize('1.5G')).to.equal(1536 * MIB)
    expect(parseSize('4096')).to.equal(4096)
  })

  it('is refused where it is none', () => {
    for (const text of ['', 'M', '-1', '1e9', '20 apples', '1.2.3', '99999P']) {
      expect(() => parseSize(text), text).to.throw(InvalidArgumentError)
    }
  })
})
