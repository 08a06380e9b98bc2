import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Contender } from './contender.ts'
import * as dataSets from './data-sets.ts'
import { Disk } from './disk.ts'
import type { Stalls } from './loop-watch.ts'
import type { Row, Samples } from './row.ts'
import type { Rounds } from './scenario.ts'
import { recordStalls } from './stall-rows.ts'

/** After its start it has this long to come to rest, in milliseconds. */
const IDLE = 1500

const OVERLAY = { stowage: 'overlay', docker: 'overlay2' }

/**
 * What the daemon costs: its start, the memory it holds, and how long its event
 * loop ever stands still. Each round has a daemon of its own, by itself.
 */
export async function benchMemory(
  samples: Samples,
  { scratch, rounds }: Rounds,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await using disk = await Disk.make(scratch, 'memory', 'ext4')
    const stalls = join(scratch, 'stalls')
    {
      await using contender = await Contender.start('stowage', OVERLAY, disk, {
        stallFile: stalls,
      })
      await useMemory(contender, samples)
    }
    const found: Stalls = JSON.parse(await fs.readFile(stalls, 'utf8'))
    recordStalls(samples, 'under this load', found)
  }
}

async function useMemory(
  contender: Contender,
  samples: Samples,
): Promise<void> {
  const { stowage } = contender
  if (stowage === undefined) return
  const peak = async (name: string, work: () => Promise<unknown>) => {
    await stowage.forgetPeak()
    await work()
    samples.record(mebibytes(`peak, ${name}`, 200), 'ours', {
      value: await stowage.peak(),
    })
  }
  const start = {
    name: 'start to first answer',
    target: 300,
    unit: 'ms',
  } as const
  samples.record(start, 'ours', { value: stowage.startMilliseconds })
  await sleep(IDLE)
  const idle = mebibytes('resident, idle', 100)
  samples.record(idle, 'ours', { value: await stowage.resident() })

  const quarter = await dataSets.big(1)
  const whole = await dataSets.big()
  const small = await dataSets.small()
  await peak('256 MiB applied', () => apply(contender, 'quarter', quarter))
  await peak('1 GiB applied', () => apply(contender, 'whole', whole))
  await peak('1 GiB read', () => contender.run({ Job: 'diff', ID: 'whole' }))
  await peak('10,000 files applied', () => apply(contender, 'small', small))
  await peak('32 callers', () =>
    contender.run({
      Job: 'cycle',
      ID: 'cycle',
      Parent: 'small',
      Count: 320,
      Callers: 32,
    }),
  )
}

async function apply(
  contender: Contender,
  id: string,
  tar: string,
): Promise<void> {
  await contender.run({ Job: 'create', ID: id })
  await contender.run({ Job: 'apply', ID: id, Tars: [tar] })
}

function mebibytes(name: string, target: number): Row {
  return { name, target, unit: 'MiB' }
}
