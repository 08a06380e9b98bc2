import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { RcloneStore } from '../../examples/rclone-store/rclone-store.ts'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { isMountpoint } from '../../src/linux/mountinfo.ts'
import { parseVolumeOptions } from '../../src/volume/volume-options.ts'

describe('The store over rclone', function () {
  this.timeout(60_000)
  needs('root', 'rclone')
  const temp = useTempDir()

  it('keeps volumes on a remote, and shows them while they are mounted', async () => {
    const remote = join(temp.path, 'remote')
    const directory = join(temp.path, 'here')
    const store = await RcloneStore.open({
      remote: `:local:${remote}`,
      directory,
    })
    await store.create('db', parseVolumeOptions({ 'label.team': 'blue' }))
    const path = await store.mount('db')
    expect(await isMountpoint(path)).to.equal(true)
    await fs.writeFile(join(path, 'table'), 'rows')
    await store.unmount('db')
    expect(await isMountpoint(path)).to.equal(false)

    const again = await RcloneStore.open({
      remote: `:local:${remote}`,
      directory,
    })
    const { volumes } = await again.list()
    expect(volumes.map(({ options }) => options.labels)).to.deep.equal([
      { team: 'blue' },
    ])
    const text = await fs.readFile(
      join(await again.mount('db'), 'table'),
      'utf8',
    )
    expect(text).to.equal('rows')
    await again.remove('db')
    expect(await fs.readdir(remote)).to.deep.equal([])
  })
})
