import { setTimeout as sleep } from 'node:timers/promises'
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { useDaemons } from '../support/daemon-process.ts'

/** In MiB, of what is resident. */
const MOST = 100

describe('A daemon that nobody asks', () => {
  const place = useDaemons()

  it(`has at most ${MOST} MiB of memory`, async () => {
    const daemon = await place.start()
    await sleep(1000)
    const status = await readFile(`/proc/${daemon.pid}/status`, 'utf8')
    const size = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024
    const start = Math.round(daemon.startedIn)
    console.log(`      ${Math.round(size)} MiB; first answer after ${start} ms`)
    expect(size).to.be.below(MOST)
  })
})
