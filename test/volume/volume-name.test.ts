import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import {
  anonymousName,
  checkVolumeName,
  isAnonymousName,
} from '../../src/volume/volume-name.ts'

describe('checkVolumeName', () => {
  for (const name of ['a', '7', 'db', 'My_data.1-b', 'n'.repeat(255), 'a..b']) {
    it(`takes ${name.slice(0, 20)}`, () => {
      checkVolumeName(name)
    })
  }

  const REFUSED: readonly [name: string, message: RegExp][] = [
    ['', /empty/],
    ['.', /characters/],
    ['..', /characters/],
    ['../x', /characters/],
    ['a/b', /characters/],
    ['/a', /characters/],
    ['-a', /characters/],
    ['_a', /characters/],
    ['test???', /characters/],
    ['a b', /characters/],
    ['a\n', /characters/],
    ['a\0b', /"a\\u0000b" has characters/],
    ['é', /characters/],
    ['n'.repeat(256), /too long: it has 256 characters of at most 255/],
    ['n'.repeat(300), /too long/],
    [`${'n'.repeat(300)}/`, /too long/],
  ]
  for (const [name, message] of REFUSED) {
    it(`refuses ${JSON.stringify(name.slice(0, 20))} of ${name.length}`, () => {
      expect(() => checkVolumeName(name)).to.throw(
        InvalidArgumentError,
        message,
      )
    })
  }

  it('refuses what is too long for the store', () => {
    expect(() => checkVolumeName('abcd', 3)).to.throw(/at most 3/)
  })

  it('repeats a long name only in part', () => {
    expect(() => checkVolumeName('!'.repeat(10_000))).to.throw(/^.{0,250}$/)
  })
})

describe('anonymousName', () => {
  it('makes names as Docker does, never the same', () => {
    expect(anonymousName()).to.match(/^[0-9a-f]{64}$/)
    expect(anonymousName()).to.not.equal(anonymousName())
    checkVolumeName(anonymousName())
  })

  it('is told from names that people give', () => {
    expect(isAnonymousName(anonymousName())).to.equal(true)
    expect(isAnonymousName('db')).to.equal(false)
    expect(isAnonymousName('A'.repeat(64))).to.equal(false)
  })
})
