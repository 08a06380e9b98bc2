import type { Job } from '../operations/job.ts'
import type { Jobs } from '../operations/jobs.ts'
import type { jobEndpoints, JobView } from './contract/job-endpoints.ts'
import { failureOf } from './failure-of.ts'
import type { Handlers } from './handler.ts'

/** Long work, to watch and to cancel. */
export function jobHandlers(jobs: Jobs): Handlers<typeof jobEndpoints> {
  return {
    async listJobs() {
      return jobs.list().map(jobView)
    },

    async inspectJob({ params: { job } }) {
      return jobView(jobs.get(job))
    },

    async followJob({ params: { job } }, { signal }) {
      jobs.get(job)
      return viewed(jobs.follow(job, signal))
    },

    async cancelJob({ params: { job } }) {
      return jobView(await jobs.cancel(job))
    },
  }
}

/** What the API tells of a job. */
export function jobView(job: Job): JobView {
  const { error, ...rest } = job
  if (error === undefined) return rest
  return { ...rest, error: failureOf(error, job.request) }
}

async function* viewed(jobs: AsyncIterable<Job>): AsyncGenerator<JobView> {
  for await (const job of jobs) yield jobView(job)
}
