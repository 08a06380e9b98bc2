import { diagnose, repair, type Repaired } from '../diagnosis/doctor.ts'
import { supportBundle } from '../diagnosis/bundle.ts'
import type { Finding } from '../diagnosis/finding.ts'
import { openPlace, type Place } from '../diagnosis/place.ts'
import { Readable } from 'node:stream'
import { exitCode } from './exit-codes.ts'
import { findingsText, repairsText } from './findings-text.ts'
import type { Given } from './given.ts'
import type { Session } from './session.ts'
import type { SettledSettings } from './settled-settings.ts'
import { writeWholeFile } from './whole-file.ts'

/** Examines, repairs if that was asked for, and tells. Answers the exit code. */
export async function runDoctor(
  given: Given,
  session: Session,
): Promise<number> {
  const settled = await settingsOf(session)
  const open = (): Promise<Place> =>
    openPlace({ ...settled, docker: session.docker })
  const place = await open()
  const found = await diagnose(place)
  const repairs = given.flag('fix') ? await repair(found, place) : []
  const left = repairs.length > 0 ? await diagnose(await open()) : found
  const bundle = given.maybe('bundle')
  if (bundle !== undefined) {
    const { version } = session.surroundings
    const { described } = settled
    const value = await supportBundle(place, left, { version, described })
    const text = `${JSON.stringify(value, undefined, 2)}\n`
    await writeWholeFile(bundle, Readable.from(text), { replaces: true })
  }
  tell(left, repairs, session)
  const isWell = left.every(({ severity }) => severity === 'note')
  return exitCode(isWell ? 'done' : 'unhealthy')
}

/**
 * The settings of the daemon that runs; the shell that the doctor is called from
 * knows them only by chance.
 */
async function settingsOf(session: Session): Promise<SettledSettings> {
  const { env, settings: load } = session.surroundings
  const { readSettings } = await load()
  try {
    const daemon = await session.daemon()
    const { settings } = await daemon.ask('inspectDaemon', {})
    return readSettings({ ...env, ...settings })
  } catch {
    // It does not run, or is ill: that is what the doctor is for.
    return readSettings(env)
  }
}

function tell(
  findings: readonly Finding[],
  repairs: readonly Repaired[],
  session: Session,
): void {
  const value = {
    findings: findings.map(({ repair: possible, ...told }) => ({
      ...told,
      repair: possible?.action,
    })),
    repairs: repairs.map(({ finding: { code, subject }, failure }) => ({
      code,
      subject,
      failure,
    })),
  }
  const width = Math.min(session.terminal.tableWidth, 80)
  session.show(
    value,
    () => repairsText(repairs, width) + findingsText(findings, width),
  )
}
