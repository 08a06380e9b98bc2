import * as fs from 'node:fs/promises'
import { addAbortSignal, Readable } from 'node:stream'
import { asError, isErrno } from '../base/errors.ts'
import { Thread } from '../base/thread.ts'
import type { Confinement } from '../linux/confinement.ts'
import {
  allocateRing,
  RING_CUT,
  RingWriter,
  type SharedRing,
} from './byte-ring.ts'
import { decompressed } from './compression.ts'
import { CompiledFilter } from './compiled-filter.ts'
import type { FilterSpec } from './filter-spec.ts'
import { type IdMaps, NO_ID_MAPS } from './id-map.ts'
import type { ImportResult } from './import-result.ts'
import { type ArchiveLimits, DEFAULT_LIMITS } from './limits.ts'
import { feedRing } from './ring-feed.ts'
import type { TreeExtractorOptions } from './tree-extractor.ts'

export interface ImportTreeOptions {
  readonly filter?: FilterSpec | undefined
  readonly idMaps?: IdMaps | undefined
  readonly limits?: Partial<ArchiveLimits> | undefined
  /** The best there is, unless it is told. */
  readonly confinement?: Confinement | undefined
  readonly signal?: AbortSignal | undefined
}

/** An import, in words that can be sent to its thread. */
export interface ImportJob extends TreeExtractorOptions {
  readonly root: string
  readonly ring: SharedRing
  readonly confinement?: Confinement | undefined
}

/** What the thread of an import does. */
export interface ImportCalls {
  unpack(job: ImportJob): ImportResult
  [name: string]: (...values: never[]) => unknown
}

/**
 * Unpacks `tar`, plain or compressed, into the tree at `root`, over what is there.
 * All of it is read, also when it fails.
 *
 * Nothing outside `root` is read or written, whatever the archive holds. After a
 * failure the entries before it are there.
 *
 * @throws InvalidArgumentError for what is not an archive, leaves the root or
 * exceeds a limit; else the system's error. Both name the entry.
 */
export async function importTree(
  root: string,
  tar: Readable,
  options: ImportTreeOptions = {},
): Promise<ImportResult> {
  const { filter, idMaps = NO_ID_MAPS, limits, confinement, signal } = options
  CompiledFilter.compile(filter)
  signal?.throwIfAborted()
  const job: Omit<ImportJob, 'ring'> = {
    root,
    filter,
    idMaps,
    limits: { ...DEFAULT_LIMITS, ...limits },
    isFresh: (await fs.readdir(root)).length === 0,
    confinement,
  }
  const source = signal === undefined ? tar : addAbortSignal(signal, tar)
  const thread = new Thread<ImportCalls>(
    new URL('tree-import-worker.js', import.meta.url),
  )
  try {
    return await unpack(thread, job, source)
  } finally {
    await thread.close()
  }
}

async function unpack(
  thread: Thread<ImportCalls>,
  job: Omit<ImportJob, 'ring'>,
  tar: Readable,
): Promise<ImportResult> {
  const ring = allocateRing(1)
  const writer = new RingWriter(ring)
  const [unpacked, fed] = await Promise.allSettled([
    cutting(writer, thread.call('unpack', { ...job, ring })),
    feedRing(Readable.from(decompressed(tar)), writer),
  ])
  // Of two failures one is the cause, and the other is that the ring was cut.
  const isCut =
    unpacked.status === 'fulfilled' || isErrno(unpacked.reason, RING_CUT)
  if (fed.status === 'rejected' && isCut) throw asError(fed.reason)
  if (unpacked.status === 'rejected') throw asError(unpacked.reason)
  return unpacked.value
}

/** A thread that fails has cut the ring itself; one that died has not. */
async function cutting<T>(writer: RingWriter, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    writer.cut()
    throw error
  }
}
