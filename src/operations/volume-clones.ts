import type { CloneSource } from '../volume/snapshot.ts'
import { formatCloneSource } from '../volume/snapshot.ts'
import { VolumeExistsError } from '../volume/volume-errors.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'
import type { Job } from './job.ts'
import type { Jobs } from './jobs.ts'

/** Clones of volumes, each a job: a store that copies may take long. */
export class VolumeClones {
  readonly #volumes: VolumeLookupCache
  readonly #jobs: Jobs

  constructor(volumes: VolumeLookupCache, jobs: Jobs) {
    this.#volumes = volumes
    this.#jobs = jobs
  }

  /**
   * Begins to make the volume `to` of `source`. What can be refused at once is;
   * what else goes wrong is told by the job. One that is cancelled leaves no volume.
   *
   * @throws VolumeNotFoundError
   * @throws VolumeExistsError when the name is taken.
   */
  async start(
    source: CloneSource,
    to: string,
    options: Readonly<Record<string, string>>,
  ): Promise<Job> {
    await this.#volumes.settledEntry(source.volume)
    if (this.#volumes.has(to)) throw new VolumeExistsError(to)
    const subject = { kind: 'clone', subject: to, unit: 'steps' } as const
    return this.#jobs.start(subject, async ({ signal, progress }) => {
      const from = formatCloneSource(source)
      progress({ done: 0, total: 1, unit: 'steps', doing: `copying ${from}` })
      const volume = await this.#volumes.changes.clone(from, to, options)
      if (signal.aborted) {
        // A copy cannot be stopped half-way, but it need not stay.
        await this.#volumes.remove(to, { forGood: true })
        signal.throwIfAborted()
      }
      progress({ done: 1, total: 1, unit: 'steps' })
      return { name: volume.name, store: volume.store }
    })
  }
}
