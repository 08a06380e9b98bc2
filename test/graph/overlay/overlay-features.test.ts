import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { NotSupportedError } from '../../../src/base/errors.ts'
import { SILENT } from '../../../src/base/log.ts'
import { Home } from '../../../src/graph/home.ts'
import { probeOverlay } from '../../../src/graph/overlay/overlay-features.ts'
import { mount } from '../../../src/linux/mount.ts'
import { mountsBelow } from '../../../src/linux/mountinfo.ts'
import { needs } from '../../../src/conformance/capabilities.ts'
import { expectRejection } from '../../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../../src/conformance/temp-dir.ts'

describe('probeOverlay', () => {
  needs('root', 'overlay')
  const temp = useTempDir()

  it('finds what layers need, and leaves nothing behind', async () => {
    const home = await Home.open(join(temp.path, 'home'), { log: SILENT })
    const before = await fs.readdir(home.path)
    expect(await probeOverlay(home)).to.deep.equal({
      options: ['index=off', 'redirect_dir=off', 'metacopy=off'],
      tellsChanges: true,
    })
    expect(await fs.readdir(home.path)).to.deep.equal(before)
    expect(await mountsBelow(home.path)).to.deep.equal([])
    await home.close()
  })

  it('says what is wrong where no upper may be, and leaves nothing behind', async () => {
    const ramfs = { type: 'ramfs', source: 'ramfs', options: [] }
    mount(ramfs, temp.path)
    const home = await Home.open(join(temp.path, 'home'), { log: SILENT })
    const before = await fs.readdir(home.path)
    await expectRejection(
      probeOverlay(home),
      NotSupportedError,
      /overlay does not work in .* on ramfs/,
    )
    expect(await fs.readdir(home.path)).to.deep.equal(before)
    await home.close()
  })
})
