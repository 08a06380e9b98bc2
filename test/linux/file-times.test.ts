import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { setTimes } from '../../src/linux/file-times.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('setTimes', () => {
  const home = useTempDir()

  it('keeps nanoseconds, after 1970 and before', async () => {
    const path = join(home.path, 'file')
    await fs.writeFile(path, '')
    for (const time of [1_500_000_000_123_456_789n, 0n, -1n, -315_619_200n]) {
      setTimes(path, time + 1n, time)
      const stat = await fs.lstat(path, { bigint: true })
      expect([stat.atimeNs, stat.mtimeNs]).to.deep.equal([time + 1n, time])
    }
  })

  it('sets whole seconds, after 1970 and before', async () => {
    const path = join(home.path, 'seconds')
    await fs.writeFile(path, '')
    for (const time of [1_500_000_000_000_000_000n, 0n, -3_000_000_000n]) {
      setTimes(path, time, time)
      const stat = await fs.lstat(path, { bigint: true })
      expect([stat.atimeNs, stat.mtimeNs]).to.deep.equal([time, time])
    }
  })

  it('changes a link and not what it points to', async () => {
    const path = join(home.path, 'link')
    await fs.symlink('/etc/passwd', path)
    const before = (await fs.stat('/etc/passwd')).mtimeMs
    for (const time of [2n, 5_000_000_000n]) {
      setTimes(path, time - 1n, time)
      expect((await fs.lstat(path, { bigint: true })).mtimeNs).to.equal(time)
      setTimes(path, time, time)
      expect((await fs.lstat(path, { bigint: true })).mtimeNs).to.equal(time)
    }
    expect((await fs.stat('/etc/passwd')).mtimeMs).to.equal(before)
  })
})
