import { withDeadline } from '../base/deadline.ts'
import { InUseError, isErrno, messageOf } from '../base/errors.ts'
import { SILENT } from '../base/log.ts'
import { lockRoot, type RootLock } from '../state/root-lock.ts'
import { type Finding, finding, type Probe, type Severity } from './finding.ts'
import type { Place } from './place.ts'
import { dataRootProbe } from './probes/data-root-probe.ts'
import { dockerProbe } from './probes/docker-probe.ts'
import { dockerVolumeProbe } from './probes/docker-volume-probe.ts'
import { holdProbe } from './probes/hold-probe.ts'
import { kernelProbe } from './probes/kernel-probe.ts'
import { layerProbe } from './probes/layer-probe.ts'
import { loopProbe } from './probes/loop-probe.ts'
import { mountProbe } from './probes/mount-probe.ts'
import { pressureProbe } from './probes/pressure-probe.ts'
import { recordProbe } from './probes/record-probe.ts'
import { settingsProbe } from './probes/settings-probe.ts'
import { socketProbe } from './probes/socket-probe.ts'
import { storeProbe } from './probes/store-probe.ts'

/** In the order in which they are told: what is wrong first explains what follows. */
export const PROBES: readonly Probe[] = [
  settingsProbe,
  kernelProbe,
  dataRootProbe,
  socketProbe,
  storeProbe,
  recordProbe,
  holdProbe,
  mountProbe,
  loopProbe,
  pressureProbe,
  dockerProbe,
  dockerVolumeProbe,
  layerProbe,
]

/** What may hang is a disk that is away; the others are told all the same. */
const DEADLINE = 15_000

const ORDER: readonly Severity[] = ['error', 'warning', 'note']

/** What became of one finding. */
export interface Repaired {
  readonly finding: Finding
  /** Why it was not set right. */
  readonly failure?: string
}

/** Looks at everything, and changes nothing. The worst is told first. */
export async function diagnose(
  place: Place,
  probes: readonly Probe[] = PROBES,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const probe of probes) findings.push(...(await examine(probe, place)))
  return ORDER.flatMap((severity) =>
    findings.filter((found) => found.severity === severity),
  )
}

/**
 * Sets right what a program may. What a running daemon owns is left alone while it
 * runs, and no daemon can start meanwhile.
 */
export async function repair(
  findings: readonly Finding[],
  place: Place,
): Promise<readonly Repaired[]> {
  const lock = await takeRoot(place)
  const results: Repaired[] = []
  try {
    for (const found of findings) {
      if (found.repair === undefined) continue
      const isBarred = found.repair.needsStopped && lock === undefined
      results.push(
        isBarred
          ? { finding: found, failure: 'the daemon runs: stop it first' }
          : await attempt(found),
      )
    }
    return results
  } finally {
    await lock?.release()
  }
}

/** One probe that fails, or hangs, hides none of the others. */
async function examine(
  probe: Probe,
  place: Place,
): Promise<readonly Finding[]> {
  try {
    const what = `Looking at ${probe.name}`
    return await withDeadline(what, DEADLINE, probe.run(place))
  } catch (error) {
    return [
      finding('probe-failed', probe.name, {
        explanation: `Looking at ${probe.name} failed: ${messageOf(error)}`,
        advice:
          'Run it as root; if a disk does not answer, look for it in "dmesg"',
      }),
    ]
  }
}

async function attempt(found: Finding): Promise<Repaired> {
  try {
    await found.repair?.apply()
    return { finding: found }
  } catch (error) {
    return { finding: found, failure: messageOf(error) }
  }
}

/** The data root for as long as things are set right, unless a daemon has it. */
async function takeRoot({ settings }: Place): Promise<RootLock | undefined> {
  try {
    return await lockRoot(settings.dataRoot, SILENT)
  } catch (error) {
    if (error instanceof InUseError) return undefined
    if (isErrno(error, 'ENOENT', 'EROFS', 'EACCES')) return undefined
    throw error
  }
}
