import { InvalidArgumentError } from '../../base/errors.ts'
import { formatTime } from '../amounts.ts'
import { table } from '../table.ts'
import type { Verb } from '../verb.ts'

const SCHEDULE = {
  name: 'schedule',
  about: 'its name',
  completes: 'schedule',
} as const

/** Snapshots made and deleted by the clock. */
export const scheduleVerbs: readonly Verb[] = [
  {
    name: 'schedule ls',
    summary: 'List the schedules of snapshots',
    examples: [
      { line: 'stowage schedule ls', does: 'and when each runs next' },
    ],
    async run(_given, session) {
      const daemon = await session.daemon()
      const schedules = await daemon.ask('listSchedules', {})
      session.show(schedules, () =>
        table(
          [
            { title: 'SCHEDULE', cell: ({ name }) => name, isFlexible: true },
            {
              title: 'VOLUMES',
              cell: ({ volumes }) => volumes.join(' '),
              isFlexible: true,
            },
            { title: 'CRON', cell: ({ cron }) => cron },
            { title: 'KEEP', cell: ({ keep }) => keep },
            { title: 'NEXT', cell: ({ next }) => timeOf(next) },
            {
              title: 'LAST',
              cell: ({ last }) =>
                last === undefined || last.failures.length === 0
                  ? timeOf(last?.at)
                  : 'failed',
            },
          ],
          schedules,
          session.terminal.tableWidth,
        ),
      )
    },
  },
  {
    name: 'schedule set',
    summary: 'Make a schedule of snapshots, or replace one',
    parameters: [
      SCHEDULE,
      {
        name: 'volume',
        about: 'names of volumes; "*" stands for any letters',
        isMany: true,
        completes: 'volume',
      },
    ],
    options: [
      {
        name: 'cron',
        value: 'TIMES',
        about: 'minute hour day month weekday',
      },
      {
        name: 'keep',
        value: 'TIMES',
        about: 'such as 4h:1d:2w: all for 4 h, hourly for 1 d, daily for 2 w',
      },
    ],
    examples: [
      {
        line: "stowage schedule set hourly db 'web-*' --cron '0 * * * *' --keep 4h:1d:2w",
        does: 'one an hour, of the database and all webs',
      },
    ],
    async run(given, session) {
      const [cron, keep] = [given.maybe('cron'), given.maybe('keep')]
      if (cron === undefined || keep === undefined) {
        throw new InvalidArgumentError('Give both --cron and --keep')
      }
      const daemon = await session.daemon()
      const schedule = await daemon.ask('setSchedule', {
        params: { schedule: given.text('schedule') },
        body: { volumes: [...given.list('volume')], cron, keep },
      })
      session.show(
        schedule,
        () => `Schedule ${schedule.name} runs next ${timeOf(schedule.next)}\n`,
      )
    },
  },
  {
    name: 'schedule rm',
    summary: 'End a schedule; its snapshots stay',
    parameters: [SCHEDULE],
    examples: [{ line: 'stowage schedule rm hourly', does: 'no more of them' }],
    async run(given, session) {
      const schedule = given.text('schedule')
      const daemon = await session.daemon()
      await daemon.ask('removeSchedule', { params: { schedule } })
      session.show({ removed: schedule }, () => `Ended ${schedule}\n`)
    },
  },
  {
    name: 'schedule run',
    summary: 'Run a schedule now, or tell what a run would do',
    parameters: [SCHEDULE],
    options: [{ name: 'dry-run', about: 'change nothing' }],
    examples: [
      {
        line: 'stowage schedule run hourly --dry-run',
        does: 'what would be made, kept and deleted',
      },
    ],
    async run(given, session) {
      const daemon = await session.daemon()
      const ran = await daemon.ask('runSchedule', {
        params: { schedule: given.text('schedule') },
        body: { isDryRun: given.flag('dry-run') },
      })
      session.show(ran, () => ran.volumes.map(runText(ran.isDryRun)).join(''))
    },
  },
]

interface VolumeRun {
  readonly volume: string
  readonly create?: string | undefined
  readonly keep: readonly string[]
  readonly delete: readonly string[]
  readonly failure?: string | undefined
}

function runText(isDryRun: boolean): (run: VolumeRun) => string {
  const [made, kept, gone] = isDryRun
    ? ['would make', 'would keep', 'would delete']
    : ['made', 'kept', 'deleted']
  return ({ volume, create, keep, delete: deleted, failure }) =>
    [
      `${volume}:`,
      create === undefined ? undefined : `  ${made} ${create}`,
      ...keep.map((name) => `  ${kept} ${name}`),
      ...deleted.map((name) => `  ${gone} ${name}`),
      failure === undefined ? undefined : `  failed: ${failure}`,
    ]
      .filter((line) => line !== undefined)
      .map((line) => `${line}\n`)
      .join('')
}

function timeOf(time: string | undefined): string {
  return time === undefined ? '-' : formatTime(time)
}
