import { expect } from 'chai'
import { checkDepth, entryPath } from '../../src/archive/entry-path.ts'
import { InvalidArgumentError } from '../../src/base/errors.ts'

describe('The path that a name in an archive means', () => {
  for (const [name, path] of [
    ['a/b', 'a/b'],
    ['./a/b', 'a/b'],
    ['/a/b', 'a/b'],
    ['a//b/', 'a/b'],
    ['a/./b', 'a/b'],
    ['a/../b', 'b'],
    ['../../b', 'b'],
    ['a/../../../etc/passwd', 'etc/passwd'],
    ['.', ''],
    ['./', ''],
    ['.//', ''],
    ['.//a', 'a'],
    ['./a/', 'a'],
    ['./.', ''],
    ['./../a', 'a'],
    ['/', ''],
    ['..', ''],
    ['', ''],
    ['..a/b..', '..a/b..'],
    ['.wh.a', '.wh.a'],
    ['a\nb', 'a\nb'],
  ] as const) {
    it(`is ${JSON.stringify(path)} for ${JSON.stringify(name)}`, () => {
      expect(entryPath(Buffer.from(name))).to.equal(path)
    })
  }

  it('keeps bytes that are no UTF-8', () => {
    const name = Buffer.from([0x2f, 0xff, 0x2f, 0xfe])
    expect(entryPath(name)).to.equal('\xff/\xfe')
  })

  it('may be as deep as is allowed, and no deeper', () => {
    checkDepth(Buffer.from('a/b/c'), 3)
    expect(() => checkDepth(Buffer.from('a/b/c/d'), 3)).to.throw(
      InvalidArgumentError,
      /4 directories deep, of at most 3/,
    )
  })
})
