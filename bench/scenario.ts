import { Contender, type DriverNames, type Kind } from './contender.ts'
import { Disk, type Filesystem } from './disk.ts'
import type { Answer, Job } from './peer.ts'
import type { Row, Samples, Side } from './row.ts'
import { takeTurns, type Turn } from './turns.ts'

/** A job both sides do in turn; it fills a line of the table if it has a row. */
export interface Step {
  readonly job: Job
  readonly row?: Row
  /** How many times its seconds count; a call done `per` times is told as one. */
  readonly per?: number
}

/** Work on one data set, from fresh layers to none, on a fresh disk per side. */
export interface Scenario {
  readonly title: string
  readonly filesystem: Filesystem
  readonly drivers: DriverNames
  /** The steps of one round; a round's layers have names of their own. */
  readonly steps: (round: number) => readonly Step[]
}

export interface Rounds {
  /** A folder on tmpfs for disks. */
  readonly scratch: string
  readonly rounds: number
  readonly kinds: Readonly<Record<Side, Kind>>
}

/** Plays each scenario, and each step of it by both sides before the next. */
export async function playAll(
  scenarios: readonly Scenario[],
  samples: Samples,
  rounds: Rounds,
): Promise<void> {
  for (const scenario of scenarios) {
    console.log(`${scenario.title} …`)
    await play(scenario, samples, rounds)
  }
}

async function play(
  scenario: Scenario,
  samples: Samples,
  { scratch, rounds, kinds }: Rounds,
): Promise<void> {
  const { filesystem, drivers } = scenario
  await using ourDisk = await Disk.make(scratch, 'ours', filesystem)
  await using theirDisk = await Disk.make(scratch, 'theirs', filesystem)
  await using ours = await Contender.start(kinds.ours, drivers, ourDisk)
  await using theirs = await Contender.start(kinds.theirs, drivers, theirDisk)
  await takeTurns({ ours, theirs }, rounds, samples, (round) =>
    scenario.steps(round).map(turn),
  )
}

function turn({ job, row, per = 1 }: Step): Turn<Contender> {
  let other: Answer | undefined
  return {
    row,
    async play(contender) {
      const answer = await contender.run(job)
      refuseDifference(job, answer, other)
      other = answer
      await contender.quiet()
      return {
        value: answer.Seconds / per,
        processor: answer.Processor / per,
      }
    },
  }
}

/** A side that does less than the other is not faster. */
function refuseDifference(
  { Job: name, ID }: Job,
  answer: Answer,
  other: Answer = answer,
): void {
  if (answer.Count === other.Count && isClose(answer.Bytes, other.Bytes)) return
  throw new Error(
    `The sides disagree about ${name} ${ID}: ${JSON.stringify(other)}, then ${JSON.stringify(answer)}`,
  )
}

/** Two layer tars of one tree differ by what either puts into PAX records. */
function isClose(one: number, other: number): boolean {
  return Math.abs(one - other) <= 0.1 * Math.max(one, other) + 4096
}
