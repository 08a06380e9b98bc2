import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { Fields } from '../../src/protocol/fields.ts'

describe('Fields', () => {
  it('takes what is absent or null for empty', () => {
    for (const body of [undefined, null, {}, { ID: null }]) {
      const fields = new Fields(body)
      expect(fields.string('ID')).to.equal('')
      expect(fields.strings('ID')).to.deep.equal([])
      expect(fields.stringMap('ID')).to.deep.equal({})
      expect(fields.list('ID')).to.deep.equal([])
      expect(fields.count('ID')).to.equal(0)
    }
  })

  it('refuses a field of another type, and names it', () => {
    const fields = new Fields({ F: { a: 1 }, N: -1, S: ['a', 2] })
    const refused = [
      () => fields.string('F'),
      () => fields.name('F'),
      () => fields.strings('S'),
      () => fields.stringMap('F'),
      () => fields.stringMap('S'),
      () => fields.list('F'),
      () => fields.count('N'),
    ]
    for (const read of refused) {
      expect(read).to.throw(InvalidArgumentError, /^[FNS] must/)
    }
  })

  it('takes for a name what stays in its directory', () => {
    for (const name of [
      'a',
      'vol_1.b-c',
      '7'.repeat(64),
      `${'f'.repeat(64)}-init`,
    ]) {
      expect(new Fields({ ID: name }).name('ID')).to.equal(name)
    }
  })

  it('refuses names that are empty, too long, or paths', () => {
    const names = [
      '',
      '.',
      '..',
      '../x',
      'a/b',
      '/a',
      'a\0',
      '-a',
      'ü',
      'a b',
      'x'.repeat(256),
    ]
    for (const name of names) {
      expect(() => new Fields({ ID: name }).name('ID'), name).to.throw(
        InvalidArgumentError,
        /^ID /,
      )
    }
    expect(() => new Fields({ ID: 'abc' }).name('ID', 2)).to.throw(/at most 2/)
  })

  it('repeats no more of a name than fits a line', () => {
    const fields = new Fields({ ID: '/'.repeat(9999) })
    expect(() => fields.name('ID')).to.throw(
      /^ID "\/{60}…" is not valid: .{0,150}$/,
    )
  })

  it('reads the objects of a list one by one', () => {
    const fields = new Fields({ UIDMaps: [{ size: 65536 }, { size: 1 }] })
    const sizes = fields.list('UIDMaps').map((map) => map.count('size'))
    expect(sizes).to.deep.equal([65536, 1])
  })
})
