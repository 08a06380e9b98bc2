import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withDeadline } from '../../base/deadline.ts'
import { messageOf } from '../../base/errors.ts'
import { clearAway } from '../clear-away.ts'
import { Bench, type BenchOptions } from './bench.ts'
import { type Check, NotExamined, type Outcome } from './check.ts'
import { DIFF_CHECKS } from './diff-checks.ts'
import { LAYER_CHECKS } from './layer-checks.ts'
import { MOUNT_CHECKS } from './mount-checks.ts'
import { interfacesOf, TRANSPORT_CHECKS } from './transport-checks.ts'
import { VOLUME_CHECKS } from './volume-checks.ts'

/** Milliseconds that one check may take: as long as Docker waits for most calls. */
const DEADLINE = 60_000

/** How a plugin is examined. Nothing of it must be said. */
export interface ExamineOptions extends Partial<Omit<BenchOptions, 'socket'>> {
  /** Words that are in the titles of the checks to be run; all are, by default. */
  readonly only?: string | undefined
  /** Told of each outcome as it comes. */
  readonly onOutcome?: (outcome: Outcome) => void
}

/**
 * Examines the plugin that answers at `socket`, whatever it is written in: each
 * check in its turn, those first that everything else depends on.
 *
 * It creates volumes and layers whose names begin with `conformance-`, and removes
 * them. A graph driver gets an Init for a home of its own: do not examine one that
 * a Docker daemon is using.
 *
 * @throws when nobody answers at all.
 */
export async function examine(
  socket: string,
  options: ExamineOptions = {},
): Promise<readonly Outcome[]> {
  const { only = '', onOutcome = () => undefined } = options
  const home =
    options.home ?? (await fs.mkdtemp(join(tmpdir(), 'conformance-')))
  const bench = new Bench({
    volumeOptions: {},
    idle: 6000,
    restart: undefined,
    ...options,
    socket,
    home,
  })
  const outcomes: Outcome[] = []
  try {
    for (const check of await checksFor(bench)) {
      if (!check.title.includes(only)) continue
      const outcome = await examined(check, bench)
      outcomes.push(outcome)
      onOutcome(outcome)
    }
  } finally {
    bench.close()
    if (options.home === undefined) await clearAway(home)
  }
  return outcomes
}

/** What there is to examine; a plugin that cannot say what it is gets it all. */
async function checksFor(bench: Bench): Promise<readonly Check[]> {
  const interfaces = await interfacesOf(bench).catch(refuseSilence)
  const checks = [...TRANSPORT_CHECKS]
  if (interfaces.includes('VolumeDriver')) {
    checks.push(...VOLUME_CHECKS, ...MOUNT_CHECKS)
  }
  if (interfaces.includes('GraphDriver')) {
    const { home } = bench.options
    for (let times = 0; times < 2; times++) {
      await bench.call('GraphDriver.Init', { Home: home, Opts: [] })
    }
    checks.push(...LAYER_CHECKS, ...DIFF_CHECKS)
  }
  // A plugin that does not come back as it was takes all that follows with it.
  return checks.toSorted(
    (a, b) => Number(a.restarts ?? false) - Number(b.restarts ?? false),
  )
}

/** A plugin that answers nonsense is examined; where nobody answers, there is none. */
function refuseSilence(error: unknown): readonly string[] {
  if (error instanceof Error && 'code' in error) throw error
  return []
}

async function examined(check: Check, bench: Bench): Promise<Outcome> {
  const { area, title, weight } = check
  const began = performance.now()
  const outcome = (result: Outcome['result'], reason?: string): Outcome => ({
    area,
    title,
    weight,
    result,
    ...(reason === undefined ? {} : { reason }),
    milliseconds: Math.round(performance.now() - began),
  })
  try {
    await withDeadline('The check', DEADLINE, check.run(bench))
    return outcome('kept')
  } catch (error) {
    const skipped = error instanceof NotExamined
    return outcome(skipped ? 'skipped' : 'broken', messageOf(error))
  } finally {
    await withDeadline('Tidying up', DEADLINE, bench.tidy()).catch(
      () => undefined,
    )
  }
}
