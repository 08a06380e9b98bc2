import { expect } from 'chai'
import { filesystemOf } from '../../src/linux/fs-magic.ts'
import { mount } from '../../src/linux/mount.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('filesystemOf', () => {
  needs('root')
  const home = useTempDir()

  it('names the filesystem under a path', async () => {
    mount({ type: 'tmpfs', source: 'x', options: [] }, home.path)
    expect(await filesystemOf(home.path)).to.equal('tmpfs')
  })

  it('calls unknown what Docker has no name for', async () => {
    expect(await filesystemOf('/proc')).to.equal('unknown')
  })
})
