import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseVolumeOptions } from '../../src/volume/volume-options.ts'
import { setAttributes, settleRoot } from '../../src/volume/volume-root.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('setAttributes', () => {
  needs('root')
  const home = useTempDir()

  it('sets what was asked for, and leaves the rest', async () => {
    await fs.chown(home.path, 5, 6)
    await fs.chmod(home.path, 0o711)
    await setAttributes(home.path, parseVolumeOptions({ gid: '70' }))
    const { uid, gid, mode } = await fs.stat(home.path)
    expect([uid, gid, mode & 0o7777]).to.deep.equal([5, 70, 0o711])
  })

  it('keeps set-id bits though it changes the owner too', async () => {
    const options = parseVolumeOptions({ uid: '70', gid: '71', mode: '6755' })
    await setAttributes(home.path, options)
    expect((await fs.stat(home.path)).mode & 0o7777).to.equal(0o6755)
  })
})

describe('settleRoot', () => {
  needs('root')
  const volume = useTempDir()
  const data = (): string => join(volume.path, 'data')
  beforeEach(() => fs.mkdir(data()))

  it('tells an empty volume from one with something in it', async () => {
    const options = parseVolumeOptions({})
    expect(settleRoot(volume.path, options)).to.equal(false)
    await fs.writeFile(join(data(), '.hidden'), '')
    expect(settleRoot(volume.path, options)).to.equal(true)
  })

  it('writes nothing for a volume that asked for nothing', async () => {
    await fs.writeFile(join(data(), 'file'), '')
    settleRoot(volume.path, parseVolumeOptions({}))
    expect(await fs.readdir(volume.path)).to.deep.equal(['data'])
  })

  it('leaves the root to its user once something was in it', async () => {
    const options = parseVolumeOptions({ mode: '0750' })
    settleRoot(volume.path, options)
    await fs.chmod(data(), 0o700)
    settleRoot(volume.path, options)
    expect((await fs.stat(data())).mode & 0o777).to.equal(0o750)
    await fs.writeFile(join(data(), 'file'), '')
    settleRoot(volume.path, options)
    await fs.chmod(data(), 0o700)
    settleRoot(volume.path, options)
    expect((await fs.stat(data())).mode & 0o777).to.equal(0o700)
  })
})
