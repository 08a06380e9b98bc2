import * as fs from 'node:fs/promises'
import {
  InvalidArgumentError,
  isErrno,
  messageOf,
  NotFoundError,
} from '../base/errors.ts'
import { KeyedMutex } from '../base/keyed-mutex.ts'
import type { Log } from '../base/log.ts'
import { writeFileAtomic } from '../state/atomic-file.ts'
import { nameByTime, type Snapshot } from '../volume/snapshot.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'
import { parseRetention, sortByRetention } from './retention.ts'
import {
  checkSchedule,
  hasMade,
  isFor,
  nextRun,
  type Schedule,
  snapshotPrefix,
} from './schedule.ts'

/** What a run does for one volume, or would do. */
export interface VolumeRun {
  readonly volume: string
  readonly create?: string
  readonly keep: readonly string[]
  readonly delete: readonly string[]
  readonly failure?: string
}

/** Is told of each snapshot that a schedule has made or deleted, or could not. */
export type RunObserver = (
  operation: 'createSnapshot' | 'removeSnapshot',
  subject: string,
  failure?: unknown,
) => void

export interface SchedulesOptions {
  /** The file that remembers them. */
  readonly path: string
  readonly volumes: VolumeLookupCache
  readonly log: Log
  readonly observe: RunObserver
}

/** The longest sleep: the clock may be set, and a laptop may sleep itself. */
const LONGEST_SLEEP = 60_000

/** The shortest: a schedule that cannot be run does not keep the daemon busy. */
const SHORTEST_SLEEP = 500

/**
 * Takes snapshots when it is time, and deletes those whose time is over.
 *
 * A run that fell into the daemon's absence is made up for, once. A volume that
 * cannot be snapshotted is told of, and keeps no other from it.
 */
export class Schedules {
  readonly #options: SchedulesOptions
  readonly #turns = new KeyedMutex()
  readonly #schedules: Map<string, Schedule>
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #isClosed = false

  private constructor(
    options: SchedulesOptions,
    schedules: readonly Schedule[],
  ) {
    this.#options = options
    this.#schedules = new Map(schedules.map((one) => [one.name, one]))
  }

  /** Reads the schedules, and begins to keep them. */
  static async open(options: SchedulesOptions): Promise<Schedules> {
    const schedules = new Schedules(options, await read(options.path))
    schedules.#sleep()
    return schedules
  }

  /** All schedules, by name. */
  list(): readonly Schedule[] {
    return [...this.#schedules.values()].toSorted((one, other) =>
      one.name < other.name ? -1 : 1,
    )
  }

  /** @throws NotFoundError */
  get(name: string): Schedule {
    const schedule = this.#schedules.get(name)
    if (schedule !== undefined) return schedule
    throw new NotFoundError(`Schedule "${name}" does not exist`)
  }

  /**
   * Makes a schedule, or replaces the one of that name.
   *
   * @throws InvalidArgumentError for what cannot be a schedule.
   */
  async set(
    name: string,
    terms: Pick<Schedule, 'volumes' | 'cron' | 'keep'>,
  ): Promise<Schedule> {
    const { last } = this.#schedules.get(name) ?? {}
    const since = new Date().toISOString()
    const schedule = { name, ...terms, since, last }
    checkSchedule(schedule)
    if (this.next(schedule) === undefined) throw neverNext(terms.cron)
    await this.#save(name, schedule)
    this.#sleep()
    return schedule
  }

  /** Ends a schedule; what it has made stays. @throws NotFoundError */
  async remove(name: string): Promise<void> {
    this.get(name)
    await this.#save(name, undefined)
  }

  /** What a run of the schedule would do now. @throws NotFoundError */
  plan(name: string): readonly VolumeRun[] {
    const schedule = this.get(name)
    const now = new Date()
    const created = snapshotPrefix(schedule) + nameByTime(now)
    return this.#volumesOf(schedule).map((volume) => {
      const present = this.#options.volumes.snapshots.list(volume)
      const next = { name: created, createdAt: now.toISOString() }
      const sorted = this.#sorted(schedule, [...present, next], now)
      return { volume, create: created, ...sorted }
    })
  }

  /** Runs a schedule now. @throws NotFoundError */
  async run(name: string): Promise<readonly VolumeRun[]> {
    return this.#turns.run(name, async () => {
      const schedule = this.get(name)
      const at = new Date()
      const runs: VolumeRun[] = []
      for (const volume of this.#volumesOf(schedule)) {
        runs.push(await this.#runFor(schedule, volume, at))
      }
      // It may have been changed or removed meanwhile, which stands.
      const present = this.#schedules.get(name)
      if (present !== undefined) {
        await this.#save(name, { ...present, last: lastOf(runs, at) })
      }
      return runs
    })
  }

  /** When the schedule runs next. */
  next({ cron, since, last }: Schedule): Date | undefined {
    const from = last === undefined || last.at < since ? since : last.at
    return nextRun(cron, new Date(from))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#running
  }

  async #runFor(
    schedule: Schedule,
    volume: string,
    at: Date,
  ): Promise<VolumeRun> {
    const { volumes, observe, log } = this.#options
    const name = snapshotPrefix(schedule) + nameByTime(at)
    let doing: Parameters<RunObserver> = ['createSnapshot', `${volume}@${name}`]
    try {
      await volumes.snapshots.create(volume, { name })
      observe(...doing)
      const present = volumes.snapshots.list(volume)
      const sorted = this.#sorted(schedule, present, at)
      for (const old of sorted.delete) {
        doing = ['removeSnapshot', `${volume}@${old}`]
        await volumes.snapshots.delete(volume, old)
        observe(...doing)
      }
      return { volume, create: name, ...sorted }
    } catch (error) {
      observe(doing[0], doing[1], error)
      const what = { schedule: schedule.name, volume, error }
      log.warn('Scheduled snapshot has failed', what)
      return { volume, keep: [], delete: [], failure: messageOf(error) }
    }
  }

  #volumesOf(schedule: Schedule): readonly string[] {
    return this.#options.volumes
      .list()
      .filter(
        ({ name, volume }) => volume !== undefined && isFor(schedule, name),
      )
      .map(({ name }) => name)
  }

  #sorted(
    schedule: Schedule,
    snapshots: readonly Snapshot[],
    now: Date,
  ): Pick<VolumeRun, 'keep' | 'delete'> {
    const own = snapshots.filter(({ name }) => hasMade(schedule, name))
    const retention = parseRetention(schedule.keep)
    const sorted = sortByRetention(own, retention, now.getTime())
    return {
      keep: sorted.keep.map(({ name }) => name),
      delete: sorted.delete.map(({ name }) => name),
    }
  }

  async #save(name: string, schedule: Schedule | undefined): Promise<void> {
    await this.#turns.run('', async () => {
      const all = new Map(this.#schedules)
      if (schedule === undefined) all.delete(name)
      else all.set(name, schedule)
      const text = { format: 1, schedules: [...all.values()] }
      const json = JSON.stringify(text, undefined, 2)
      await writeFileAtomic(this.#options.path, `${json}\n`)
      if (schedule === undefined) this.#schedules.delete(name)
      else this.#schedules.set(name, schedule)
    })
  }

  /** Sleeps until the next schedule is due, or for as long as is wise. */
  #sleep(): void {
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    const times = this.list().flatMap((one) => this.next(one)?.getTime() ?? [])
    const until = Math.min(...times) - Date.now()
    const pause = Math.max(SHORTEST_SLEEP, Math.min(until, LONGEST_SLEEP))
    this.#timer = setTimeout(() => {
      this.#running = this.#runDue()
    }, pause).unref()
  }

  async #runDue(): Promise<void> {
    await this.#options.volumes.opened()
    for (const schedule of this.list()) {
      const due = this.next(schedule)
      if (due === undefined || due.getTime() > Date.now()) continue
      try {
        await this.run(schedule.name)
      } catch (error) {
        const { name } = schedule
        this.#options.log.error('Schedule cannot be run', { name, error })
      }
    }
    this.#sleep()
  }
}

function neverNext(cron: string): Error {
  return new InvalidArgumentError(`Cron times "${cron}" never come`)
}

function lastOf(runs: readonly VolumeRun[], at: Date): Schedule['last'] {
  return {
    at: at.toISOString(),
    created: runs.flatMap(({ volume, create }) =>
      create === undefined ? [] : [`${volume}@${create}`],
    ),
    deleted: runs.flatMap((run) =>
      run.delete.map((name) => `${run.volume}@${name}`),
    ),
    failures: runs.flatMap(({ volume, failure }) =>
      failure === undefined ? [] : [`${volume}: ${failure}`],
    ),
  }
}

/** What cannot be read is told, never overwritten: the daemon does not start. */
async function read(path: string): Promise<readonly Schedule[]> {
  let text
  try {
    text = await fs.readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
  try {
    const { schedules }: { schedules: readonly Schedule[] } = JSON.parse(text)
    for (const schedule of schedules) checkSchedule(schedule)
    return schedules
  } catch (error) {
    throw new Error(
      `The schedules in "${path}" cannot be read: ${messageOf(error)}`,
      { cause: error },
    )
  }
}
