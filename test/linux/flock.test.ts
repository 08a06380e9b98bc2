import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect } from 'chai'
import { tryLock } from '../../src/linux/flock.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('tryLock', () => {
  const home = useTempDir()

  it('excludes a second taker until it is released', async () => {
    const path = join(home.path, 'lock')
    const lock = await tryLock(path)
    expect(lock).not.to.equal(undefined)
    expect(await tryLock(path)).to.equal(undefined)
    await lock?.release()
    const again = await tryLock(path)
    expect(again).not.to.equal(undefined)
    await again?.release()
  })

  it('is seen by other programs', async () => {
    const path = join(home.path, 'lock')
    const lock = await tryLock(path)
    const attempt = () =>
      execFileSync('flock', ['--nonblock', path, 'true'], { stdio: 'ignore' })
    expect(attempt).to.throw()
    await lock?.release()
    expect(attempt).not.to.throw()
  })
})
