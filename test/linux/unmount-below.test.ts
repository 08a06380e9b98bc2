import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { mount } from '../../src/linux/mount.ts'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { unmountBelow } from '../../src/linux/unmount-below.ts'

describe('unmountBelow', () => {
  needs('root')
  const temp = useTempDir()

  it('detaches mounts in mounts, and those beside them not', async () => {
    const [inside, beside] = ['a', 'ab'].map((name) => join(temp.path, name))
    for (const path of [inside!, beside!]) {
      await fs.mkdir(path)
      mount({ type: 'tmpfs', source: 'tmpfs', options: [] }, path)
    }
    await fs.mkdir(join(inside!, 'b'))
    mount({ type: 'tmpfs', source: 'tmpfs', options: [] }, join(inside!, 'b'))
    await unmountBelow(inside!)
    expect(await mountsBelow(temp.path)).to.deep.equal([beside])
  })
})
