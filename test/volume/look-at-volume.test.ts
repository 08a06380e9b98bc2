import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { lookAtVolume } from '../../src/volume/look-at-volume.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('lookAtVolume', () => {
  const home = useTempDir()

  it('tells what there is of a volume: nothing, some of it, or all', async () => {
    const volume = join(home.path, 'db')
    const look = () => lookAtVolume(volume)
    expect(look()).to.deep.equal({ isThere: false, hasData: false })
    await fs.mkdir(volume)
    expect(look()).to.deep.equal({ isThere: true, hasData: false })
    await fs.mkdir(join(volume, 'data'))
    expect(look()).to.deep.equal({ isThere: true, hasData: true })
    await fs.writeFile(join(volume, 'volume.json'), 'text')
    const whole = { isThere: true, text: 'text', hasData: true }
    expect(look()).to.deep.equal(whole)
  })

  it('takes what is no directory for what it is', async () => {
    await fs.writeFile(join(home.path, 'file'), '')
    const look = lookAtVolume(join(home.path, 'file'))
    expect(look).to.deep.equal({ isThere: true, hasData: false })
  })
})
