import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  InvalidArgumentError,
  NotSupportedError,
} from '../../src/base/errors.ts'
import { claim, driverOf } from '../../src/graph/format.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('The format of a Home', () => {
  const home = useTempDir()

  it('is nobody’s until a driver claims it', async () => {
    expect(await driverOf(home.path)).to.equal(undefined)
    await claim(home.path, 'overlay')
    await claim(home.path, 'overlay')
    expect(await driverOf(home.path)).to.equal('overlay')
  })

  it('of a newer Stowage is refused by name', async () => {
    await fs.writeFile(join(home.path, 'format'), 'overlay 2\n')
    expect(await driverOf(home.path)).to.equal('overlay')
    await expectRejection(
      claim(home.path, 'overlay'),
      NotSupportedError,
      /"overlay" in edition 2/,
    )
  })

  it('is not made up for a directory that is somebody else’s', async () => {
    await fs.mkdir(join(home.path, 'overlay2'))
    await expectRejection(
      driverOf(home.path),
      InvalidArgumentError,
      /holds "overlay2", which no Stowage made/,
    )
  })

  it('may be missing beside what a first start left behind', async () => {
    for (const name of [
      'lock',
      'layers',
      'l',
      'mnt',
      'new-0a',
      'blank-0a',
      'lost+found',
    ]) {
      await fs.mkdir(join(home.path, name))
    }
    expect(await driverOf(home.path)).to.equal(undefined)
  })
})
