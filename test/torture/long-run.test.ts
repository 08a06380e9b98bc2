import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'
import { SHARED_MEMORY } from '../../src/conformance/temp-dir.ts'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { amount, tell } from '../support/campaign.ts'
import { type ProcessUsage, usageOfProcess } from '../support/process-usage.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'

const VOLUME_CALLS = amount('STOWAGE_VOLUME_CALLS', 2000)
const LAYER_CALLS = amount('STOWAGE_LAYER_CALLS', 250)
const AT_ONCE = 32

/** Threads that wait for more work come and go, and each has a few. */
const SPARE = 16

/** What it may grow by once it has done the first tenth, for V8 collects as it likes. */
const GROWTH = 48 * 1024 ** 2

describe('A daemon that is kept busy', function () {
  needs('root', 'overlay')
  this.timeout(60_000 + (VOLUME_CALLS + LAYER_CALLS * 20) * 50)
  const place = useDaemons(() => SHARED_MEMORY)

  it(`needs no more for ${VOLUME_CALLS} calls about volumes than for the first of them`, async () => {
    // What is removed is deleted at once, so that nothing may be left.
    const settings = { STOWAGE_TRASH_TIME: '0' }
    const daemon = await place.start({ settings })
    const calls = ['Create', 'Mount', 'Get', 'Unmount', 'Remove'].map(
      (method) => (name: string) =>
        daemon.docker.call(`VolumeDriver.${method}`, {
          Name: name,
          ID: 'somebody',
          Opts: { ro: '' },
        }),
    )
    const used = await keepBusy(daemon, calls, VOLUME_CALLS)
    const { Volumes } = await daemon.docker.call('VolumeDriver.List', {})
    expect(Volumes).to.deep.equal([])
    const volumes = join(daemon.dataRoot, 'volumes/default')
    const left = (await settled(volumes)).filter((name) =>
      /^(?:rm|new)-/.test(name),
    )
    expect(left).to.deep.equal([])
    expect(await fs.readdir(join(volumes, 'volumes'))).to.deep.equal([])
    await end(daemon, 'volumes', used)
  })

  it(`needs no more for ${LAYER_CALLS} calls about layers than for the first of them`, async () => {
    const daemon = await place.start()
    const { docker } = daemon
    const home = join(place.path, 'home')
    await docker.call('GraphDriver.Init', { Home: home })
    await docker.call('GraphDriver.Create', { ID: 'base' })
    const tar = forgeTar({ name: 'file', content: 'x'.repeat(100_000) })
    await docker.applyDiff('base', '', tar)
    const call = (method: string) => (ID: string) =>
      docker.call(`GraphDriver.${method}`, { ID, Parent: 'base' })
    const calls = [
      call('Create'),
      (id: string) => docker.applyDiff(id, 'base', tar),
      call('Get'),
      async (id: string) => {
        const read = await docker.diff({ ID: id, Parent: 'base' })
        for await (const chunk of read) void chunk
      },
      call('Put'),
      call('Remove'),
    ]
    const used = await keepBusy(daemon, calls, LAYER_CALLS)
    expect(await mountsBelow(home)).to.deep.equal([])
    expect(await fs.readdir(join(home, 'layers'))).to.deep.equal(['base'])
    const left = (await settled(home)).filter((name) =>
      /^(?:rm|new)-/.test(name),
    )
    expect(left).to.deep.equal([])
    await end(daemon, 'layers', used)
  })
})

type Call = (subject: string) => Promise<unknown>

interface Usage {
  readonly done: number
  readonly early: ProcessUsage
  readonly late: ProcessUsage
  readonly seconds: number
}

/** Does `calls` in turn to one subject after the other, with many callers at once. */
async function keepBusy(
  daemon: DaemonProcess,
  calls: readonly Call[],
  amountOfCalls: number,
): Promise<Usage> {
  const began = performance.now()
  const subjects = Math.ceil(amountOfCalls / calls.length)
  const warm = Math.max(AT_ONCE, Math.ceil(subjects / 10))
  let next = 0
  const work = async (until: number): Promise<void> => {
    const caller = async (): Promise<void> => {
      for (let at = next++; at < until; at = next++) {
        for (const call of calls) await call(`s${at}`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, caller))
    next = until
    daemon.docker.close()
    await sleep(300)
  }
  await work(warm)
  const early = await usageOfProcess(daemon.pid)
  await work(Math.max(subjects, warm))
  const late = await usageOfProcess(daemon.pid)
  const seconds = (performance.now() - began) / 1000
  return { done: Math.max(subjects, warm) * calls.length, early, late, seconds }
}

/** The entries of `directory`, once what was removed is deleted. */
async function settled(directory: string): Promise<string[]> {
  for (let tries = 0; ; tries++) {
    const names = await fs.readdir(directory)
    if (tries > 100 || !names.some((name) => name.startsWith('rm-')))
      return names
    await sleep(100)
  }
}

async function end(
  daemon: DaemonProcess,
  kind: string,
  { done, early, late, seconds }: Usage,
): Promise<void> {
  expect(late.descriptors).to.be.at.most(early.descriptors + SPARE)
  expect(late.memory).to.be.below(early.memory + GROWTH)
  const errors = daemon.log.filter(({ level }) => level !== 'info')
  expect(errors).to.deep.equal([])
  expect(await daemon.stop()).to.include({ code: 0 })
  const mebibytes = [early, late].map(({ memory }) =>
    Math.round(memory / 1024 ** 2),
  )
  tell(
    `Long run, ${kind}`,
    `${done} calls in ${Math.round(seconds)} s, ${mebibytes.join(' then ')} MiB, ${early.descriptors} then ${late.descriptors} descriptors`,
  )
}
