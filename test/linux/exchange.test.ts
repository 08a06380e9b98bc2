import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { exchange } from '../../src/linux/exchange.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('exchange', () => {
  const home = useTempDir()

  it('puts each of two directories in the other’s place', async () => {
    const [one, other] = [join(home.path, 'one'), join(home.path, 'other')]
    await fs.mkdir(one)
    await fs.mkdir(other)
    await fs.writeFile(join(one, 'file'), 'text')
    await exchange(one, other)
    expect(await fs.readdir(one)).to.deep.equal([])
    expect(await fs.readdir(other)).to.deep.equal(['file'])
  })

  it('leaves one alone where there is no other', async () => {
    const one = join(home.path, 'one')
    await fs.writeFile(one, 'text')
    const failed = exchange(one, join(home.path, 'absent'))
    expect(await expectRejection(failed, Error)).to.include({ code: 'ENOENT' })
    expect(await fs.readFile(one, 'utf8')).to.equal('text')
  })
})
