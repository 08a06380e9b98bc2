import { expect } from 'chai'
import * as fc from 'fast-check'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { parseCapacity } from '../../src/volume/capacity.ts'

describe('parseCapacity', () => {
  // In the port layer that this model comes from, bare numbers were megabytes,
  // which were decimal on the way in and binary on the way out.
  for (const [text, bytes] of [
    ['1', 1],
    ['10000', 10_000],
    ['100000', 100_000],
    ['10G', 10e9],
    ['10g', 10e9],
    ['10GB', 10e9],
    [' 10 GB ', 10e9],
    ['200MB', 200e6],
    ['1.5G', 1.5e9],
    ['500KB', 500e3],
    ['999999B', 999_999],
    ['1GiB', 2 ** 30],
    ['10Mi', 10 * 2 ** 20],
    ['1.5KiB', 1536],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ] as const) {
    it(`takes "${text}" for ${bytes} bytes`, () => {
      expect(parseCapacity(text)).to.equal(bytes)
    })
  }

  for (const [text, reason] of [
    ['0', /more than nothing/],
    ['0.0G', /more than nothing/],
    ['0.5', /whole number of bytes/],
    ['0.0005K', /give bytes/],
    ['-1', /give bytes/],
    ['', /give bytes/],
    ['G', /give bytes/],
    ['1.2.3G', /give bytes/],
    ['1i', /give bytes/],
    ['1e9', /give bytes/],
    ['10 apples', /give bytes/],
    ['9223372036854775807', /the most is/],
    ['9223372036854775808', /the most is/],
    ['9999999999999999999', /the most is/],
    ['20000P', /the most is/],
  ] as const) {
    it(`refuses "${text}" and says why`, () => {
      expect(() => parseCapacity(text)).to.throw(InvalidArgumentError, reason)
    })
  }

  it('gives back every whole number of bytes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        fc.pre(bytes > 0)
        expect(parseCapacity(String(bytes))).to.equal(bytes)
      }),
    )
  })
})
