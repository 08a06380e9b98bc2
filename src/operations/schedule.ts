import { Cron } from 'croner'
import { InvalidArgumentError, messageOf } from '../base/errors.ts'
import { isStorageName } from '../storage/storage-ref.ts'
import { parseRetention } from './retention.ts'

/** How a schedule's last run went. */
export interface LastRun {
  readonly at: string
  readonly created: readonly string[]
  readonly deleted: readonly string[]
  readonly failures: readonly string[]
}

/** When snapshots of which volumes are taken, and how long they are kept. */
export interface Schedule {
  readonly name: string
  /** Names of volumes, in which `*` stands for any letters. */
  readonly volumes: readonly string[]
  /** Minute, hour, day, month and weekday, in the time of this machine. */
  readonly cron: string
  readonly keep: string
  /** When it was made or changed. */
  readonly since: string
  readonly last?: LastRun | undefined
}

/** @throws InvalidArgumentError for what cannot be a schedule. */
export function checkSchedule({ name, volumes, cron, keep }: Schedule): void {
  // The time is added to it, and the whole must be a snapshot's name.
  if (!isStorageName(name) || name.length > 64) {
    throw new InvalidArgumentError(
      `Schedule name ${JSON.stringify(name)} is not valid: use up to 64 letters, digits, "_", "." and "-"`,
    )
  }
  for (const pattern of volumes) {
    if (/^[a-zA-Z0-9_.*-]+$/.test(pattern)) continue
    throw new InvalidArgumentError(
      `"${pattern}" cannot match the name of a volume: use letters, digits, "_", ".", "-", and "*" for any of them`,
    )
  }
  nextRun(cron, new Date())
  parseRetention(keep)
}

/**
 * When a schedule is due after `from`; never, for one whose time does not come again.
 *
 * @throws InvalidArgumentError for what is no time.
 */
export function nextRun(cron: string, from: Date): Date | undefined {
  try {
    return new Cron(cron, { mode: '5-part' }).nextRun(from) ?? undefined
  } catch (error) {
    throw new InvalidArgumentError(
      `Time "${cron}" is not valid: ${messageOf(error)}. Give minute, hour, day, month and weekday, such as "0 * * * *"`,
      { cause: error },
    )
  }
}

/** Whether the schedule is for the volume `name`. */
export function isFor({ volumes }: Schedule, name: string): boolean {
  return volumes.some((pattern) => {
    const parts = pattern.split('*').map((part) => part.replaceAll('.', '\\.'))
    return new RegExp(`^${parts.join('.*')}$`).test(name)
  })
}

/** What a schedule's snapshots are called, before the time. */
export function snapshotPrefix({ name }: Schedule): string {
  return `${name}-`
}

/** Whether the schedule has made the snapshot: others are not its to delete. */
export function hasMade(schedule: Schedule, snapshot: string): boolean {
  const prefix = snapshotPrefix(schedule)
  return (
    snapshot.startsWith(prefix) &&
    /^\d{8}-\d{6}\.\d{3}$/.test(snapshot.slice(prefix.length))
  )
}
