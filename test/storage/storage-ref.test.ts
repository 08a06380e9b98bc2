import { expect } from 'chai'
import * as fc from 'fast-check'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import {
  formatRef,
  isSelfLink,
  isStorageName,
  parseRef,
  type StorageRef,
} from '../../src/storage/storage-ref.ts'

const REFS: ReadonlyArray<[string, StorageRef]> = [
  ['/storage/volumes/default', { kind: 'volume-store', store: 'default' }],
  ['/storage/volumes/s/db', { kind: 'volume', store: 's', id: 'db' }],
  ['/storage/images/main', { kind: 'image-store', store: 'main' }],
  ['/storage/images/main/ab12', { kind: 'image', store: 'main', id: 'ab12' }],
]

describe('formatRef and parseRef', () => {
  for (const [link, ref] of REFS) {
    it(`agree on ${link}`, () => {
      expect(formatRef(ref)).to.equal(link)
      expect(parseRef(link)).to.deep.equal(ref)
    })
  }

  it('give back every reference', () => {
    const first = fc.constantFrom(...'azAZ09'.split(''))
    const rest = fc.string({
      unit: fc.constantFrom(...'azAZ09_.-'.split('')),
      maxLength: 254,
    })
    const name = fc.tuple(first, rest).map((parts) => parts.join(''))
    const kind = fc.constantFrom('volume', 'image')
    fc.assert(
      fc.property(kind, name, fc.option(name), (of, store, id) => {
        const ref: StorageRef =
          id === null ? { kind: `${of}-store`, store } : { kind: of, store, id }
        expect(parseRef(formatRef(ref))).to.deep.equal(ref)
      }),
    )
  })

  it('refuse to make a link that could not be read back', () => {
    for (const id of ['', '.', '..', '../../etc', 'a/b', '-a', 'ü']) {
      const ref: StorageRef = { kind: 'volume', store: 's', id }
      expect(() => formatRef(ref)).to.throw(InvalidArgumentError)
    }
  })
})

describe('parseRef', () => {
  it('does not care about the host, which may be renamed', () => {
    const there = parseRef('http://old.example:2375/storage/volumes/s/db')
    expect(there).to.deep.equal(parseRef('/storage/volumes/s/db'))
  })

  it('decodes each name once', () => {
    const ref = parseRef('/storage/volumes/s/d%62')
    expect(ref).to.deep.equal({ kind: 'volume', store: 's', id: 'db' })
    expect(() => parseRef('/storage/volumes/s/%2562')).to.throw(
      InvalidArgumentError,
    )
  })

  for (const [link, reason] of [
    ['fail', /begin with a slash/],
    ['', /begin with \/storage/],
    ['/storage:123', /begin with \/storage\//],
    ['/storage', /followed by volumes or images/],
    ['/storage/volumes', /names no store/],
    ['/storage/other/s', /followed by volumes or images/],
    ['/storage/volumes/', /names have/],
    ['/storage/volumes/s/', /names have/],
    ['/storage/volumes/s/id/more', /more than four parts/],
    ['/storage/volumes/s/..', /names have/],
    ['/storage/volumes/s/%2e%2e', /names have/],
    ['/storage/volumes/s/a%2fb', /names have/],
    ['/storage/volumes/s/a%00', /names have/],
    ['/storage/volumes/s/%zz', /names have/],
    ['/storage/volumes/s/db?x=1', /names have/],
    ['/storage/volumes/s/db#x', /names have/],
    [`/storage/volumes/s/${'x'.repeat(256)}`, /names have/],
    ['http://host', /begin with \/storage/],
  ] as const) {
    it(`refuses ${JSON.stringify(link.slice(0, 40))} and names the rule`, () => {
      expect(() => parseRef(link)).to.throw(InvalidArgumentError, reason)
    })
  }

  it('answers a reference or an InvalidArgumentError, whatever it is given', () => {
    const piece = fc.oneof(
      fc.constantFrom('/', 'storage', 'volumes', 'images', '%', '..', 'http:'),
      fc.string(),
    )
    const link = fc.array(piece).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(link, (text) => {
        try {
          const again = formatRef(parseRef(text))
          expect(parseRef(again)).to.deep.equal(parseRef(text))
        } catch (error) {
          expect(error).to.be.instanceOf(InvalidArgumentError)
        }
      }),
    )
  })
})

describe('isSelfLink', () => {
  it('is true for volumes and images, and for nothing else', () => {
    const links = REFS.map(([link]) => link)
    expect(links.map(isSelfLink)).to.deep.equal([false, true, false, true])
    expect(isSelfLink('http://example.com/')).to.equal(false)
  })
})

describe('isStorageName', () => {
  it('takes 255 bytes and not 256', () => {
    expect(isStorageName('x'.repeat(255))).to.equal(true)
    expect(isStorageName('x'.repeat(256))).to.equal(false)
  })
})
