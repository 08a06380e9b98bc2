import { expect } from 'chai'
import { isErrno } from '../../src/base/errors.ts'
import { cPath, declare } from '../../src/linux/libc.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'

describe('declare', () => {
  const access = declare('access', ['const char *', 'int'])

  it('takes a path as text and as bytes', () => {
    expect(access('/proc', 0)).to.equal(0)
    expect(access(cPath(Buffer.from('/proc')), 0)).to.equal(0)
  })

  it('throws what node:fs would throw', () => {
    expect(() => access('/absent', 0))
      .to.throw("ENOENT: no such file or directory, access '/absent'")
      .that.satisfies((error: unknown) => isErrno(error, 'ENOENT'))
  })

  it('rejects likewise when called on another thread', async () => {
    expect(await access.later('/proc', 0)).to.equal(0)
    await expectRejection(access.later('/absent', 0), Error, /^ENOENT: /)
  })
})
