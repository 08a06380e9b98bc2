import type { Schedule } from '../operations/schedule.ts'
import type { Schedules, VolumeRun } from '../operations/schedules.ts'
import type {
  scheduleEndpoints,
  ScheduleRunView,
  ScheduleView,
} from './contract/schedule-endpoints.ts'
import type { Handlers } from './handler.ts'

/** Snapshots that are taken by themselves. */
export function scheduleHandlers(
  schedules: Schedules,
): Handlers<typeof scheduleEndpoints> {
  const view = ({ since: _, last, ...rest }: Schedule): ScheduleView => ({
    ...rest,
    volumes: [...rest.volumes],
    next: schedules.next({ since: _, last, ...rest })?.toISOString(),
    last: last && {
      at: last.at,
      created: [...last.created],
      deleted: [...last.deleted],
      failures: [...last.failures],
    },
  })
  return {
    async listSchedules() {
      return schedules.list().map(view)
    },

    async setSchedule({ params: { schedule }, body }) {
      return view(await schedules.set(schedule, body))
    },

    async removeSchedule({ params: { schedule } }) {
      await schedules.remove(schedule)
    },

    async runSchedule({ params: { schedule }, body: { isDryRun } }) {
      const volumes = isDryRun
        ? schedules.plan(schedule)
        : await schedules.run(schedule)
      return { isDryRun, volumes: volumes.map(runView) }
    },
  }
}

function runView(run: VolumeRun): ScheduleRunView['volumes'][number] {
  return { ...run, keep: [...run.keep], delete: [...run.delete] }
}
