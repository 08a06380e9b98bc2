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
}

/**
 * Shows how far a job is for as long as `work` goes on, which is its other end. Who
 * interrupts the command waits until the daemon has let go of what it was about.
 */
export async function whileShowing<T>(
  { job, label }: ShownJob,
  session: Session,
  work: () => Promise<T>,
): Promise<T> {
  if (job === undefined) return work()
  const bar = new ProgressBar(label, session.terminal)
  const { isInteractive } = session.terminal
  const shown = isInteractive && show(job, bar, await session.daemon())
  try {
    const result = await work()
    await shown
    return result
  } catch (error) {
    if (session.signal.aborted) await cancel(job, session)
    throw error
  } finally {
    bar.clear()
  }
}

/** What is seen of a job is never why the work at its other end fails. */
async function show(
  job: string,
  bar: ProgressBar,
  daemon: AdminClient,
): Promise<void> {
  const follow = async (): Promise<void> => {
    for await (const view of daemon.follow('followJob', { params: { job } })) {
      const { state, progress } = view
      if (state === 'running') bar.show(progress)
      // What was expected to come was a guess; what came is what there was.
      else if (state === 'done')
        bar.finish({ ...progress, total: progress.done })
    }
  }
  await Promise.allSettled([follow()])
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
