import { expect } from 'chai'
import * as fc from 'fast-check'
import { CompiledFilter } from '../../src/archive/compiled-filter.ts'
import type { FilterSpec } from '../../src/archive/filter-spec.ts'
import { toPathString } from '../../src/archive/path-bytes.ts'
import { InvalidArgumentError } from '../../src/base/errors.ts'

/**
 * The golden table. Rows with a remark are decided otherwise than in the port
 * layer that this model comes from, which compared bytes and not components.
 */
const EXCLUDED: ReadonlyArray<
  [
    include: string[],
    exclude: string[],
    name: string,
    excluded: boolean,
    remark?: string,
  ]
> = [
  [[], [], 'a', false],
  [['a'], [], 'b', true, 'inclusions alone mean only these'],
  [[], ['a'], 'a/x', true],
  [[], ['a'], 'ab', false, 'whole components'],
  [[], ['a/'], 'a', false],
  [[], ['a/'], 'a/', true],
  [[], ['a/'], 'a/x', true],
  [[], [''], 'z', true],
  [['a'], [''], 'a', false],
  [['a'], [''], 'abc', true, 'no sibling leaks'],
  [['a/'], [''], 'a', true],
  [['a/'], [''], 'a/x', false],
  [['a/b'], ['a'], 'a/b/c', false],
  [['a'], ['a'], 'a/b', false],
  [['a'], ['a/b'], 'a/b/c', true],
  [['a/b/c'], ['a/b'], 'a/b/c/d', false],
  [['/'], [''], 'x', false, 'a slash is what is below the root'],
  [['/'], [''], '', true, 'a slash is not the root itself'],
  [[''], [''], 'x', false],
  [[''], ['mnt/A/'], 'mnt/A', false],
  [[''], ['mnt/A/'], 'mnt/A/f', true],
  [['mnt'], ['', 'mnt/A/'], 'mnt/A', false],
  [['mnt'], ['', 'mnt/A/'], 'mnt/A/f', true],
  [['mnt'], ['', 'mnt/A/'], 'mntfoo/x', true, 'no sibling leaks'],
]

describe('CompiledFilter', () => {
  for (const [include, exclude, name, excluded, remark] of EXCLUDED) {
    const verb = excluded ? 'keeps out' : 'lets in'
    const keys = `include ${JSON.stringify(include)}, exclude ${JSON.stringify(exclude)}`
    const why = remark === undefined ? '' : `: ${remark}`
    it(`${verb} "${name}" with ${keys}${why}`, () => {
      const filter = CompiledFilter.compile({ include, exclude })
      expect(filter.excludes(name)).to.equal(excluded)
    })
  }

  it('takes ./a, a//b and /a for what they mean', () => {
    const filter = CompiledFilter.compile({ include: ['./a//b', '/c'] })
    expect(filter.excludes('a/b')).to.equal(false)
    expect(filter.excludes('c/d')).to.equal(false)
    expect(filter.excludes('a')).to.equal(true)
  })

  for (const path of ['..', 'a/../b', '../x', 'a\0b']) {
    it(`refuses the path ${JSON.stringify(path)} in each of the four places`, () => {
      for (const spec of [
        { include: [path] },
        { exclude: [path] },
        { strip: path },
        { rebase: path },
      ]) {
        expect(() => CompiledFilter.compile(spec)).to.throw(
          InvalidArgumentError,
          /must stay below the root$/,
        )
      }
    })
  }

  it('compares names that are not text byte by byte', () => {
    const filter = CompiledFilter.compile({ include: ['bücher'] })
    expect(filter.excludes(toPathString(Buffer.from('bücher/eins')))).to.equal(
      false,
    )
    expect(filter.excludes('b\xfccher')).to.equal(true)
  })

  it('never prunes a directory that holds something included', () => {
    const component = fc.constantFrom('a', 'b', 'ab')
    const name = fc
      .array(component, { minLength: 1, maxLength: 4 })
      .map((names) => names.join('/'))
    const key = fc.oneof(
      name,
      fc.constant(''),
      name.map((path) => `${path}/`),
    )
    const keys = fc.array(key, { maxLength: 3 })
    fc.assert(
      fc.property(keys, keys, name, (include, exclude, path) => {
        const filter = CompiledFilter.compile({ include, exclude })
        fc.pre(!filter.excludes(path))
        const parents = path.split('/').map((_, depth, names) => {
          return names.slice(0, depth).join('/')
        })
        for (const parent of parents) {
          expect(filter.prunes(parent), parent).to.equal(false)
        }
      }),
    )
  })

  it('prunes what it need not look into', () => {
    const filter = CompiledFilter.compile({ include: ['mnt/A'] })
    expect(filter.prunes('var')).to.equal(true)
    expect(filter.prunes('mnt/B')).to.equal(true)
    expect(filter.prunes('mnt')).to.equal(false)
    expect(filter.prunes('mnt/A')).to.equal(false)
  })
})

describe('CompiledFilter.rename', () => {
  const renamed: ReadonlyArray<[FilterSpec, string, string | undefined]> = [
    [{}, 'mnt/a.txt', 'mnt/a.txt'],
    [{ strip: 'mnt', rebase: 'new' }, 'mnt', 'new'],
    [{ strip: 'mnt', rebase: 'new' }, 'mnt/a.txt', 'new/a.txt'],
    [{ strip: 'mnt', rebase: 'new' }, 'mnt/sub', 'new/sub'],
    [{ strip: 'mnt' }, 'mnt/a.txt', 'a.txt'],
    [{ strip: 'mnt' }, 'mnt', undefined],
    [{ strip: 'mnt' }, 'mntfoo/x', 'mntfoo/x'],
    [{ strip: 'A' }, 'AB/f', 'AB/f'],
    [{ strip: 'mnt' }, 'mnt/mnt/x', 'mnt/x'],
    [{ strip: '/mnt/' }, 'mnt/x', 'x'],
    [{ rebase: 'path/to/prefix' }, 'f', 'path/to/prefix/f'],
    [{ rebase: 'new' }, '', 'new'],
    [{}, '', undefined],
  ]
  for (const [spec, name, expected] of renamed) {
    it(`makes ${expected === undefined ? 'the root' : `"${expected}"`} of "${name}" with ${JSON.stringify(spec)}`, () => {
      const filter = CompiledFilter.compile(spec)
      expect(filter.rename(name)).to.equal(expected)
    })
  }

  it('keeps names that are not text as they are', () => {
    const filter = CompiledFilter.compile({ strip: 'a', rebase: 'ü' })
    expect(filter.rename('a/\xff\xfe')).to.equal('\xc3\xbc/\xff\xfe')
  })
})
