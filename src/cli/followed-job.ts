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

/** Shows how far a job is for as long as `work` goes on, which is its other end. */
export async function whileShowing<T>(
  job: string | undefined,
  label: string,
  session: Session,
  work: () => Promise<T>,
): Promise<T> {
  const bar = new ProgressBar(label, session.terminal)
  const watching = session.terminal.isInteractive && job !== undefined
  const shown = watching
    ? show(job, bar, await session.daemon())
    : Promise.resolve()
  try {
    const result = await work()
    await shown
    return result
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
  try {
    for await (const view of daemon.follow('followJob', { params: { job } })) {
      if (view.state === 'running') bar.show(view.progress)
      else bar.finish(view.progress)
    }
  } catch {
    bar.clear()
  }
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
