import { formatBytes, formatTime } from '../amounts.ts'
import { table } from '../table.ts'
import type { Verb } from '../verb.ts'

interface Progress {
  readonly done: number
  readonly total?: number | undefined
  readonly unit: 'bytes' | 'entries' | 'steps'
}

/** Long work under way. */
export const jobVerbs: readonly Verb[] = [
  {
    name: 'job ls',
    summary: 'List long work that runs or has ended lately',
    examples: [{ line: 'stowage job ls', does: 'exports, imports, clones' }],
    async run(_given, session) {
      const daemon = await session.daemon()
      const jobs = await daemon.ask('listJobs', {})
      session.show(jobs, () =>
        table(
          [
            { title: 'JOB', cell: ({ id }) => id },
            { title: 'KIND', cell: ({ kind }) => kind },
            { title: 'OF', cell: ({ subject }) => subject, isFlexible: true },
            { title: 'STATE', cell: ({ state }) => state },
            { title: 'DONE', cell: ({ progress }) => progressOf(progress) },
            {
              title: 'STARTED',
              cell: ({ startedAt }) => formatTime(startedAt),
            },
          ],
          jobs,
          session.terminal.tableWidth,
        ),
      )
    },
  },
  {
    name: 'job cancel',
    summary: 'Stop a job, and wait until it has undone what it did',
    parameters: [{ name: 'job', about: 'its id' }],
    examples: [{ line: 'stowage job cancel 17', does: 'it leaves nothing' }],
    async run(given, session) {
      const daemon = await session.daemon()
      const job = await daemon.ask('cancelJob', {
        params: { job: given.text('job') },
      })
      session.show(job, () => `Job ${job.id} is ${job.state}\n`)
    },
  },
]

function progressOf({ done, total, unit }: Progress): string {
  const amount = unit === 'bytes' ? formatBytes : String
  return total === undefined ? amount(done) : `${amount(done)}/${amount(total)}`
}
