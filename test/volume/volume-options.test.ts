import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import {
  optionDifferences,
  parseVolumeOptions,
  refuseUnasked,
} from '../../src/volume/volume-options.ts'

type Typed = Readonly<Record<string, string>>

describe('parseVolumeOptions', () => {
  it('has a default for everything', () => {
    expect(parseVolumeOptions({})).to.deep.equal({
      store: 'default',
      ro: false,
      protect: false,
      labels: {},
      typed: {},
    })
  })

  it('reads every option in any case, and keeps what was typed', () => {
    const typed = {
      VolumeStore: 'big',
      cAPACity: '10G',
      FROM: 'db@monday',
      Path: '/srv/data',
      UID: '1000',
      gid: '0',
      Mode: '0750',
      RO: '',
      protect: 'true',
      'Label.Team': 'Blue',
    }
    expect(parseVolumeOptions(typed)).to.deep.equal({
      store: 'big',
      capacity: 10_000_000_000,
      from: 'db@monday',
      path: '/srv/data',
      uid: 1000,
      gid: 0,
      mode: 0o750,
      ro: true,
      protect: true,
      labels: { Team: 'Blue' },
      typed,
    })
  })

  it('tells nobody of what only the program itself writes down', () => {
    const unfinished = parseVolumeOptions({ unfinished: 'import' })
    expect(() => refuseUnasked(unfinished)).to.throw(
      InvalidArgumentError,
      /"unfinished" is not known: the options are store,(?!.*unfinished)/,
    )
    expect(() => parseVolumeOptions({ help: '' })).to.throw(
      InvalidArgumentError,
      /^(?![^]*unfinished)/,
    )
  })

  it('keeps the case of label keys, which may differ in nothing else', () => {
    const { labels } = parseVolumeOptions({ 'label.a': '1', 'label.A': '2' })
    expect(labels).to.deep.equal({ a: '1', A: '2' })
  })

  it('reads the booleans that people write', () => {
    for (const yes of ['', 'true', 'TRUE', '1', 'yes']) {
      expect(parseVolumeOptions({ ro: yes }).ro, yes).to.equal(true)
    }
    for (const no of ['false', 'False', '0', 'no']) {
      expect(parseVolumeOptions({ ro: no }).ro, no).to.equal(false)
    }
  })

  const REFUSED: readonly [typed: Typed, message: RegExp][] = [
    [{ colour: 'red' }, /"colour" is not known: .*store, capacity.*label\.KEY/],
    [{ '': 'x' }, /"" is not known/],
    [{ 'label.': 'x' }, /"label\." is not known/],
    [{ constructor: 'x' }, /"constructor" is not known/],
    [{ size: '1G', Capacity: '2G' }, /"capacity" is given more than once/],
    [{ MODE: '0700', mode: '0700' }, /"mode" is given more than once/],
    [{ 'label.a': '1', 'LABEL.a': '1' }, /"label\.a" is given more than once/],
    [{ uid: '-1' }, /"uid" cannot be "-1": it must be a number/],
    [{ uid: '4294967295' }, /from 0 to 4294967294/],
    [{ uid: '4294967296' }, /from 0 to 4294967294/],
    [{ gid: 'wheel' }, /it must be a number/],
    [{ gid: '' }, /it must be a number/],
    [{ mode: '0888' }, /octal/],
    [{ mode: '10000' }, /octal/],
    [{ mode: 'rwx' }, /octal/],
    [{ ro: 'perhaps' }, /"true" or "false"/],
    [{ store: '' }, /it needs a value/],
    [{ path: 'relative' }, /absolute/],
    [{ path: '/a\0b' }, /absolute/],
    [{ capacity: '10 apples' }, /"capacity" cannot be "10 apples"/],
  ]
  for (const [typed, message] of REFUSED) {
    it(`refuses ${JSON.stringify(typed)}`, () => {
      expect(() => parseVolumeOptions(typed)).to.throw(
        InvalidArgumentError,
        message,
      )
    })
  }

  it('answers -o help with all options and what they mean', () => {
    const help =
      /capacity \(also size\): .*\n(.*\n)*.*mode: .*\n(.*\n)*.*label\.KEY: /
    expect(() => parseVolumeOptions({ help: '' })).to.throw(help)
    expect(() => parseVolumeOptions({ mode: '0700', HELP: '' })).to.throw(help)
  })
})

describe('optionDifferences', () => {
  it('finds none where the same is said otherwise', () => {
    expect(
      between(
        { capacity: '1G', Mode: '0750', ro: '', protect: 'false' },
        { SIZE: '1000MB', mode: '750', RO: 'yes', store: 'default' },
      ),
    ).to.deep.equal([])
  })

  it('names each difference with both values', () => {
    expect(
      between(
        { mode: '0750', uid: '5', 'label.a': '1' },
        { mode: '0700', 'label.b': '2', ro: '', store: 'big' },
      ),
    ).to.have.members([
      'store is "default" and should be "big"',
      'ro is "false" and should be "true"',
      'mode is "0750" and should be "0700"',
      'uid is "5" and should be unset',
      'label.a is "1" and should be unset',
      'label.b is unset and should be "2"',
    ])
  })
})

function between(volume: Typed, asked: Typed): readonly string[] {
  return optionDifferences(
    parseVolumeOptions(volume),
    parseVolumeOptions(asked),
  )
}
