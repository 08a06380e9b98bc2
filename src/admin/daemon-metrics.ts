import { monitorEventLoopDelay } from 'node:perf_hooks'
import { NotSupportedError, UnavailableError } from '../base/errors.ts'
import type { Jobs } from '../operations/jobs.ts'
import type { Metrics, Sample } from '../operations/metrics.ts'
import type { TrashKeeper, TrashSize } from '../operations/trash-keeper.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'
import type { StoreRoom } from '../volume/volume-usage.ts'

/** One call that was answered, by whichever front. */
export interface AnsweredCall {
  /** The method of Docker's, or the operation of the administrator's. */
  readonly name: string
  readonly isGood: boolean
  readonly milliseconds: number
}

/** Counts the calls of one front. */
export function callMetrics(
  metrics: Metrics,
  front: 'docker' | 'admin',
): (call: AnsweredCall) => void {
  const seconds = metrics.histogram(
    `stowage_${front}_request_seconds`,
    `How long calls of the ${front} front took`,
  )
  const failures = metrics.counter(
    `stowage_${front}_failures_total`,
    `Calls of the ${front} front that were refused or have failed`,
  )
  return ({ name, isGood, milliseconds }) => {
    seconds.observe(milliseconds / 1000, { call: name })
    if (!isGood) failures.add({ call: name })
  }
}

/** What the process tells of itself. */
export function processMetrics(metrics: Metrics, version: string): void {
  metrics.gauge('stowage_build_info', 'Which Stowage this is', () => [
    { labels: { version, node: process.version }, value: 1 },
  ])
  metrics.gauge(
    'process_resident_memory_bytes',
    'Memory that the daemon has',
    () => [{ value: process.memoryUsage.rss() }],
  )
  metrics.gauge(
    'process_start_time_seconds',
    'When the daemon was started, since 1970',
    () => [{ value: Math.round(Date.now() / 1000 - process.uptime()) }],
  )
  metrics.gauge(
    'stowage_cpu_seconds',
    'Processor time that the daemon has taken',
    () => {
      const { user, system } = process.cpuUsage()
      return [{ value: (user + system) / 1e6 }]
    },
  )
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  metrics.gauge(
    'stowage_event_loop_delay_seconds',
    'The longest that calls waited for the main thread, since somebody looked',
    () => {
      const longest = delay.max / 1e9
      delay.reset()
      return [{ value: longest }]
    },
  )
}

/** How many jobs there are, in each state. */
export function jobMetrics(metrics: Metrics, jobs: Jobs): void {
  metrics.gauge('stowage_jobs', 'Jobs that run or have ended lately', () =>
    ['running', 'done', 'failed', 'cancelled'].map((state) => ({
      labels: { state },
      value: jobs.list().filter((job) => job.state === state).length,
    })),
  )
}

/** What was removed, and can still be brought back. */
export function trashMetrics(metrics: Metrics, trash: TrashKeeper): void {
  const samples = async (
    which: keyof TrashSize,
  ): Promise<readonly Sample[]> => {
    const sizes = [...(await trash.sizes())]
    return sizes.map(([store, size]) => ({
      labels: { store },
      value: size[which],
    }))
  }
  metrics.gauge('stowage_trash_volumes', 'Removed volumes that are kept', () =>
    samples('volumes'),
  )
  metrics.gauge(
    'stowage_trash_bytes',
    'What removed volumes take, as far as they were measured',
    () => samples('allocated'),
  )
}

/** How the stores are, and how much is in them. */
export function volumeMetrics(
  metrics: Metrics,
  volumes: VolumeLookupCache,
): void {
  metrics.gauge(
    'stowage_store_up',
    'Whether a volume store can be reached',
    () =>
      volumes.stores().map(({ name, kind, state }) => ({
        labels: { store: name, kind },
        value: state === 'online' || state === 'degraded' ? 1 : 0,
      })),
  )
  metrics.gauge('stowage_store_volumes', 'Volumes that a store has', () =>
    volumes.stores().map(({ name, kind, names }) => ({
      labels: { store: name, kind },
      value: names,
    })),
  )
  metrics.gauge(
    'stowage_store_bytes',
    'How large the filesystem of a store is',
    () => roomSamples(volumes, 'total'),
  )
  metrics.gauge(
    'stowage_store_free_bytes',
    'What may still be written in a store',
    () => roomSamples(volumes, 'free'),
  )
  metrics.gauge('stowage_volumes_held', 'Volumes that somebody holds', () => [
    { value: volumes.held().length },
  ])
  metrics.gauge(
    'stowage_volumes_damaged',
    'Volumes that cannot be used, whatever the reason',
    () => {
      const damaged = volumes.list().filter(({ problem }) => problem)
      return [{ value: damaged.length }]
    },
  )
}

/** Of a store that cannot tell, nothing is told. */
async function roomSamples(
  volumes: VolumeLookupCache,
  which: keyof StoreRoom,
): Promise<readonly Sample[]> {
  const samples = volumes.stores().map(async ({ name, kind, state }) => {
    if (state === 'opening' || state === 'offline') return []
    try {
      const room = await volumes.room(name)
      return [{ labels: { store: name, kind }, value: room[which] }]
    } catch (error) {
      if (error instanceof UnavailableError) return []
      if (error instanceof NotSupportedError) return []
      throw error
    }
  })
  return (await Promise.all(samples)).flat()
}
