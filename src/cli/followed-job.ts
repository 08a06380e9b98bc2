import type { JobView } from '../admin/contract/job-endpoints.ts'
import type { AdminClient } from './admin-client.ts'
import { AdminFailure } from './admin-failure.ts'
import { ProgressBar } from './progress-bar.ts'
import type { Session } from './session.ts'

/**
 * Waits for a job and shows how far it is. Who interrupts the command cancels the
 * job, and waits until it has undone what it did.
 *
 * @throws AdminFailure when it fails.
 */
export async function followJob(
  { id }: JobView,
  label: string,
  session: Session,
): Promise<JobView> {
  const daemon = await session.daemon()
  const bar = new ProgressBar(label, session.terminal)
  try {
    let last: JobView | undefined
    for await (const job of daemon.follow('followJob', {
      params: { job: id },
    })) {
      last = job
      if (job.state === 'running') bar.show(job.progress)
    }
    if (last === undefined) throw new Error(`Job ${id} was never heard of`)
    if (last.state === 'done') bar.finish(last.progress)
    return outcome(last)
  } catch (error) {
    bar.clear()
    if (session.signal.aborted) await cancel(id, session)
    throw error
  }
}

export interface ShownJob {
  /** Its id; without one there is nothing to show. */
  readonly job: string | undefined
  readonly label: string
  /** How much there is to be done, should the job itself not know. */
  readonly total: () => Promise<number | undefined>
}

/** Shows how far a job is for as long as `work` goes on, which is its other end. */
export async function whileShowing<T>(
  { job, label, total }: ShownJob,
  session: Session,
  work: () => Promise<T>,
): Promise<T> {
  if (!session.terminal.isInteractive || job === undefined) return work()
  const bar = new ProgressBar(label, session.terminal)
  const shown = show(job, bar, { total, daemon: await session.daemon() })
  try {
    const result = await work()
    await shown
    return result
  } finally {
    bar.clear()
  }
}

interface Watching {
  readonly total: ShownJob['total']
  readonly daemon: AdminClient
}

/** What is seen of a job is never why the work at its other end fails. */
async function show(
  job: string,
  bar: ProgressBar,
  { total, daemon }: Watching,
): Promise<void> {
  let known: number | undefined
  const learn = async (): Promise<void> => {
    known = await total()
  }
  const follow = async (): Promise<void> => {
    for await (const view of daemon.follow('followJob', { params: { job } })) {
      const progress = { total: known, ...view.progress }
      if (view.state === 'running') bar.show(progress)
      else bar.finish({ ...progress, total: view.progress.total })
    }
  }
  await Promise.allSettled([learn(), follow()])
}

function outcome(job: JobView): JobView {
  if (job.state === 'done') return job
  throw job.error === undefined
    ? new Error(`Job ${job.id} was ${job.state}`)
    : new AdminFailure(job.error)
}

/** By a client of its own: the session's has let go of everything. */
async function cancel(job: string, session: Session): Promise<void> {
  const daemon = await session.anotherDaemon()
  await daemon.ask('cancelJob', { params: { job } })
}
