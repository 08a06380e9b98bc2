import { addAbortSignal, type Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { type Compression, compressed } from '../archive/compressed.ts'
import type { FilterSpec } from '../archive/filter-spec.ts'
import type { ImportResult } from '../archive/import-result.ts'
import { InvalidArgumentError, isErrno } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Storage } from '../storage/storage.ts'
import { VolumeNotFoundError } from '../volume/volume-errors.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'
import { VOLUMES_KEY } from '../volume/volume-part.ts'
import { counted } from './counted.ts'
import type { Working } from './job.ts'
import type { Jobs } from './jobs.ts'

export interface ExportRequest {
  readonly filter: FilterSpec
  readonly compression: Compression
  /** The volume to compare with. */
  readonly since?: string | undefined
}

export interface ImportRequest {
  readonly filter: FilterSpec
  /** The options of the new volume; absent, the volume is there already. */
  readonly create?: Readonly<Record<string, string>> | undefined
  readonly signal: AbortSignal
}

/** A job, and the stream that it is about. */
export interface Outgoing {
  readonly job: string
  readonly stream: Readable
}

export interface VolumeArchivesOptions {
  readonly volumes: VolumeLookupCache
  readonly storage: Storage
  readonly jobs: Jobs
  readonly log: Log
}

/**
 * Volumes in and out as archives, each a job.
 *
 * A volume that is made by an import is there whole or not at all: one whose import
 * fails is removed, and one whose import this process did not survive is removed by
 * the next, before it is seen.
 */
export class VolumeArchives {
  readonly #options: VolumeArchivesOptions

  constructor(options: VolumeArchivesOptions) {
    this.#options = options
  }

  /** The files of a volume, as a stream that is a job until it has closed. */
  async export(
    name: string,
    { filter, compression, since }: ExportRequest,
  ): Promise<Outgoing> {
    const { storage, jobs } = this.#options
    const tar = await storage.export(VOLUMES_KEY, name, {
      filter,
      ...(since === undefined ? {} : { ancestor: since }),
    })
    const isWhole = since === undefined && !chooses(filter)
    const total = isWhole ? this.#expected(name) : undefined
    return new Promise((begun, failed) => {
      const work = async (working: Working): Promise<void> => {
        const bytes = addAbortSignal(working.signal, tar)
        const watched = counted(bytes, working, total && { total })
        const stream = await compressed(watched, compression)
        begun({ job: working.id, stream })
        await readToItsEnd(stream)
      }
      void failing(jobs.run({ kind: 'export', subject: name }, work), failed)
    })
  }

  /**
   * How many bytes the tar of all of a volume comes to, about, as soon as that was
   * found out: the export does not wait for it.
   */
  #expected(name: string): () => number | undefined {
    let total: number | undefined
    const measure = async (): Promise<void> => {
      const { volumes, log } = this.#options
      try {
        const { bytes, allocated, inodes } = await volumes.usage(name)
        // Of a sparse file, only what is there goes into the tar.
        total = Math.min(bytes, allocated) + inodes * ENTRY
      } catch (error) {
        log.debug('Volume not measured', { volume: name, error })
      }
    }
    void measure()
    return () => total
  }

  /** Unpacks `tar` into a new volume, or over one that is there. */
  async import(
    name: string,
    tar: Readable,
    { filter, create, signal }: ImportRequest,
  ): Promise<ImportResult> {
    const { jobs } = this.#options
    return jobs.run({ kind: 'import', subject: name }, async (working) => {
      const ending = AbortSignal.any([signal, working.signal])
      // Whose volume cannot be made has its tar left unread.
      const unpack = (): Promise<ImportResult> => {
        const bytes = counted(tar, working, { whenEmpty: nothingCame() })
        const { storage } = this.#options
        const options = { filter, signal: ending }
        return storage.import(VOLUMES_KEY, name, bytes, options)
      }
      return create === undefined ? unpack() : this.#make(name, create, unpack)
    })
  }

  async #make(
    name: string,
    options: Readonly<Record<string, string>>,
    unpack: () => Promise<ImportResult>,
  ): Promise<ImportResult> {
    const { volumes } = this.#options
    const { createdAt } = await volumes.begin(name, options, 'import')
    try {
      const result = await unpack()
      await volumes.finish(name)
      return result
    } catch (error) {
      await this.#discard(name, createdAt)
      throw error
    }
  }

  /** Removes the volume, unless it is another by now. */
  async #discard(name: string, createdAt: string): Promise<void> {
    const { volumes, log } = this.#options
    try {
      const { volume } = await volumes.settledEntry(name)
      if (volume?.createdAt !== createdAt) return
      await volumes.remove(name, { forGood: true })
      log.info('Volume of a failed import removed', { volume: name })
    } catch (error) {
      if (error instanceof VolumeNotFoundError) return
      log.warn('Volume of a failed import kept', { volume: name, error })
    }
  }
}

/** What an entry takes in a tar beside its content: its header, its times, padding. */
const ENTRY = 1792

/** Of what a filter lets through, nobody knows the size before. */
function chooses({ include = [], exclude = [] }: FilterSpec): boolean {
  return include.length + exclude.length > 0
}

/** Even a tar of nothing has some bytes; a volume made of none would hide a failure. */
function nothingCame(): Error {
  return new InvalidArgumentError(
    'The archive is empty: whoever was to write it has failed',
  )
}

/** Settles when all of `stream` was read. A reader who goes away has cancelled it. */
async function readToItsEnd(stream: Readable): Promise<void> {
  try {
    await finished(stream)
  } catch (cause) {
    if (!isErrno(cause, 'ERR_STREAM_PREMATURE_CLOSE')) throw cause
    throw new DOMException('Whoever read it has gone', 'AbortError')
  }
}

async function failing(
  work: Promise<unknown>,
  failed: (error: unknown) => void,
): Promise<void> {
  try {
    await work
  } catch (error) {
    failed(error)
  }
}
