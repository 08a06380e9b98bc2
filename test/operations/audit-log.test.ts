import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { AuditLog } from '../../src/operations/audit-log.ts'
import type { ChangeEvent } from '../../src/operations/change-event.ts'

function event(subject: string): ChangeEvent {
  return {
    time: '2026-03-01T12:00:00.000Z',
    operation: 'createVolume',
    subject,
    result: 'done',
    front: 'admin',
    milliseconds: 1,
  }
}

async function subjects(log: AuditLog, limit = 100): Promise<string[]> {
  return (await log.tail(limit)).map(({ subject }) => subject)
}

describe('AuditLog', () => {
  const home = useTempDir()

  it('has what was appended, in that order, also by others later', async () => {
    const first = await AuditLog.open(home.path)
    await Promise.all(['a', 'b', 'c'].map((name) => first.append(event(name))))
    await first.close()
    const second = await AuditLog.open(home.path)
    await second.append(event('d'))
    expect(await subjects(second)).to.deep.equal(['a', 'b', 'c', 'd'])
    expect(await subjects(second, 2)).to.deep.equal(['c', 'd'])
    await second.close()
  })

  it('begins a new file when one is full, and keeps so many', async () => {
    const log = await AuditLog.open(home.path, {
      fileBytes: 300,
      olderFiles: 2,
    })
    for (let nth = 0; nth < 20; nth++) await log.append(event(String(nth)))
    const files = (await fs.readdir(home.path)).toSorted()
    expect(files).to.deep.equal(['audit.log', 'audit.log.1', 'audit.log.2'])
    const kept = await subjects(log)
    expect(kept.at(-1)).to.equal('19')
    expect(kept).to.deep.equal(
      kept.map((_, nth) => String(20 - kept.length + nth)),
    )
    await log.close()
  })

  it('reads past a line that a crash has cut off, and writes after it', async () => {
    await fs.writeFile(
      join(home.path, 'audit.log'),
      `${JSON.stringify(event('a'))}\n{"time":"20`,
    )
    const log = await AuditLog.open(home.path)
    await log.append(event('b'))
    expect(await subjects(log)).to.deep.equal(['a', 'b'])
    await log.close()
  })
})
