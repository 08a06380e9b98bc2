import { expect } from 'chai'
import {
  decodeFilterSpec,
  encodeFilterSpec,
} from '../../src/archive/filter-spec.ts'
import { InvalidArgumentError } from '../../src/base/errors.ts'

/** The pair that every port of this encoding must agree on. */
const GOLDEN = {
  spec: {
    include: ['mnt'],
    exclude: ['', 'mnt/A/'],
    rebase: 'mnt',
    strip: 'mnt',
  },
  text: 'eyJJbmNsdXNpb25zIjp7Im1udCI6e319LCJFeGNsdXNpb25zIjp7IiI6e30sIm1udC9BLyI6e319LCJSZWJhc2VQYXRoIjoibW50IiwiU3RyaXBQYXRoIjoibW50In0=',
}

describe('encodeFilterSpec', () => {
  it('writes the golden text', () => {
    expect(encodeFilterSpec(GOLDEN.spec)).to.equal(GOLDEN.text)
  })

  it('writes the same text whatever the order of the paths', () => {
    const turned = { ...GOLDEN.spec, exclude: ['mnt/A/', ''] }
    expect(encodeFilterSpec(turned)).to.equal(GOLDEN.text)
  })

  it('has a text for no specification at all', () => {
    expect(encodeFilterSpec()).to.equal('bnVsbA==')
  })
})

describe('decodeFilterSpec', () => {
  it('reads the golden text', () => {
    expect(decodeFilterSpec(GOLDEN.text)).to.deep.equal(GOLDEN.spec)
  })

  it('takes no text, and the text for nothing, as a filter that lets all pass', () => {
    expect(decodeFilterSpec()).to.deep.equal({})
    expect(decodeFilterSpec('')).to.deep.equal({})
    expect(decodeFilterSpec('bnVsbA==')).to.deep.equal({})
  })

  it('reads null sets as absent ones, and passes over unknown fields', () => {
    const text = base64('{"Inclusions":null,"Exclusions":{"a":{}},"Later":1}')
    expect(decodeFilterSpec(text)).to.deep.equal({
      include: undefined,
      exclude: ['a'],
      rebase: undefined,
      strip: undefined,
    })
  })

  for (const [what, text] of [
    ['text that is not base64', '%%%%'],
    ['base64 that was cut short', GOLDEN.text.slice(0, -3)],
    ['text that is not JSON', base64('{mnt}')],
    ['JSON that is not an object', base64('["mnt"]')],
    ['a list for a set', base64('{"Inclusions":["mnt"]}')],
    ['a number for a path', base64('{"RebasePath":7}')],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(() => decodeFilterSpec(text)).to.throw(
        InvalidArgumentError,
        /^Filter specification cannot be read: /,
      )
    })
  }
})

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
