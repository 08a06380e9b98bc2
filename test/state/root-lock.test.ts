import { fork } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { InUseError } from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { lockRoot } from '../../src/state/root-lock.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('lockRoot', () => {
  const home = useTempDir()

  it('refuses a second holder, and names the directory', async () => {
    const lock = await lockRoot(home.path, SILENT)
    const error = await expectRejection(
      lockRoot(home.path, SILENT),
      InUseError,
      /in use by another Stowage/,
    )
    expect(error.message).to.contain(home.path)
    await lock.release()
    await (await lockRoot(home.path, SILENT)).release()
  })

  it('shows a lease beside it to root who looks from elsewhere, and to nobody else', async () => {
    const lock = await lockRoot(home.path, SILENT)
    const lease = await fs.stat(join(home.path, 'lock.lease'))
    expect(lease.mode & 0o777).to.equal(0o700)
    await lock.release()
    expect(await fs.readdir(home.path)).not.to.include('lock.lease')
  })

  it('is free at once after its holder was killed', async () => {
    const holder = fork(
      join(import.meta.dirname, '../support/lock-holder.js'),
      [home.path],
    )
    await once(holder, 'message')
    await expectRejection(lockRoot(home.path, SILENT), InUseError)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    await (await lockRoot(home.path, SILENT)).release()
  })
})
