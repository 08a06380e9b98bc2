import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { type Log, SILENT } from '../../src/base/log.ts'
import { Holds } from '../../src/state/holds.ts'
import { AttachedStore } from '../../src/volume/attached-store.ts'
import { MemoryVolumeStore } from '../support/memory-volume-store.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('AttachedStore', () => {
  const root = useTempDir()
  let holds: Holds
  beforeEach(async () => {
    holds = await Holds.open(join(root.path, 'holds'))
  })
  afterEach(() => holds.close())

  const attach = (
    open: () => Promise<MemoryVolumeStore>,
    log: Log = SILENT,
  ): Promise<AttachedStore> =>
    AttachedStore.attach(
      { name: 'big', kind: 'memory', open },
      { journal: join(root.path, 'names'), holds, log },
    )

  it('complains once for as long as nothing changes, and says when it is back', async () => {
    const lines: string[] = []
    const log: Log = {
      ...SILENT,
      error: (message) => lines.push(message),
      info: (message) => lines.push(message),
      child: () => log,
    }
    let attempts = 0
    const store = await attach(async () => {
      if (++attempts < 3) throw new Error('the disk is away')
      return new MemoryVolumeStore('big', root.path)
    }, log)
    while (store.status().state !== 'online') await sleep(20)
    expect(lines).to.deep.equal([
      'Volume store cannot be reached',
      'Volume store online',
    ])
    await store.close()
  })

  it('is closed at once while it waits for the next attempt', async () => {
    let attempts = 0
    const store = await attach(async () => {
      attempts++
      throw new Error('away')
    })
    await store.tried()
    await store.close()
    expect(attempts).to.equal(1)
  })

  it('has the names of its journal from the first moment', async () => {
    await fs.writeFile(join(root.path, 'names'), '+a\n+b\n-a\n')
    const store = await attach(async () => {
      await sleep(50)
      throw new Error('the disk is away')
    })
    expect(store.knowsNames).to.equal(true)
    expect([...store.names()]).to.deep.equal(['b'])
    expect(store.entry('b')?.problem).to.match(/is being opened/)
    await store.tried()
    expect(store.entry('b')?.problem).to.match(/disk is away/)
    await store.close()
  })
})
