import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { openAdmin, useAdmin } from '../support/admin.ts'

describe('What is changed through the API', () => {
  const admin = useAdmin()

  const audit = async (): Promise<readonly Record<string, unknown>[]> => {
    const { text } = await admin.ask('GET /audit')
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  }

  it('is in the audit log by the time that it is answered, refusals too', async () => {
    const created = await admin.ask('POST /volumes', { name: 'db' })
    await admin.ask('POST /volumes', { name: 'db' })
    const [first, second] = await audit()
    expect(first).to.include({
      operation: 'createVolume',
      subject: 'db',
      result: 'done',
      front: 'admin',
      request: created.headers['stowage-request'],
    })
    expect(first!.caller).to.deep.equal({
      pid: process.pid,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
    })
    expect(second).to.include({ result: 'refused', code: 'already-exists' })
  })

  it('does not take looking for a change', async () => {
    await admin.ask('GET /volumes')
    await admin.ask('GET /stores')
    expect(await audit()).to.deep.equal([])
  })

  it('is still in the audit log after a restart', async () => {
    await admin.ask('POST /volumes', { name: 'db' })
    await admin.restart()
    await admin.ask('DELETE /volumes/db')
    const operations = (await audit()).map(({ operation }) => operation)
    expect(operations).to.deep.equal(['createVolume', 'removeVolume'])
  })

  it('is told to whoever follows, as it happens', async () => {
    const events = await openAdmin(admin.socketPath, 'GET /events')
    const lines = createInterface(events)
    const line = once(lines, 'line')
    await admin.ask('POST /volumes', { name: 'db' })
    const [text] = await line
    expect(JSON.parse(String(text))).to.include({ operation: 'createVolume' })
    events.destroy()
  })

  it('lets followers go when the service ends', async () => {
    const events = await openAdmin(admin.socketPath, 'GET /events')
    events.resume()
    await Promise.all([once(events, 'end'), admin.restart()])
  })

  it('is written where only root reads it', async () => {
    await admin.ask('POST /volumes', { name: 'db' })
    const { mode } = await fs.stat(join(admin.dataRoot, 'audit/audit.log'))
    expect(mode & 0o777).to.equal(0o600)
  })
})
