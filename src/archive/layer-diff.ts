import { addAbortSignal, type Readable } from 'node:stream'
import type { FilterSpec } from './filter-spec.ts'
import { type IdMaps, NO_ID_MAPS } from './id-map.ts'
import type { PackJob } from './pack-job.ts'
import { RingBytes } from './ring-bytes.ts'
import { tarStream } from './tar-stream.ts'
import type { ComparedTrees, TreeSource } from './tree-source.ts'

/** Something that a tar cannot say, and that is therefore not in it. */
export interface Omission {
  readonly path: Buffer
  readonly reason: string
}

/** How a layer tar is made. */
export interface DiffOptions {
  /** Owners are told as this user namespace sees them. */
  readonly idMaps?: IdMaps | undefined
  /**
   * Somebody may be writing to the tree: files that change meanwhile are cut or
   * padded to the size they had, and what vanishes is left out. Otherwise each of
   * these is an error, because nobody should be writing.
   */
  readonly writable?: boolean | undefined
  /** Told of sockets, and of names that a layer would take for a whiteout. */
  readonly onOmission?: ((omission: Omission) => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Runs once, when nobody reads the trees any more, also if nobody ever did. */
  readonly release?: (() => Promise<void>) | undefined
}

/**
 * The changes of `source` as an uncompressed layer tar: in the byte order of the
 * paths, times in whole seconds, of xattrs only the capability. The same changes
 * are the same bytes.
 *
 * A failure midway destroys the stream with an error that names the path; whoever
 * stops reading lets go of the trees.
 *
 * @throws the system error when a tree cannot be opened.
 * @throws NotSupportedError for an upper directory that refers to its lowers. That
 * may come late, and then it destroys the stream.
 */
export function layerDiff(
  source: TreeSource,
  options: DiffOptions = {},
): Promise<Readable> {
  return pack(source, { ...options, isExact: false })
}

export interface ExportOptions extends DiffOptions {
  readonly filter?: FilterSpec | undefined
  /** Headers without what follows them, to know what there is. */
  readonly headersOnly?: boolean | undefined
}

/** A whole tree as a tar that keeps everything: all xattrs, and nanoseconds. */
export function packTree(
  root: string,
  options: ExportOptions = {},
): Promise<Readable> {
  return pack({ tree: root }, { ...options, isExact: true })
}

/** What differs between two trees, with all that {@link packTree} keeps. */
export function packDifference(
  trees: ComparedTrees,
  options: ExportOptions = {},
): Promise<Readable> {
  return pack(trees, { ...options, isExact: true })
}

interface PackOptions extends ExportOptions {
  readonly isExact: boolean
}

async function pack(
  source: TreeSource,
  options: PackOptions,
): Promise<Readable> {
  const { filter, isExact, onOmission, signal } = options
  const job: PackJob = {
    source,
    idMaps: options.idMaps ?? NO_ID_MAPS,
    isWritable: options.writable ?? false,
    isExact,
    headersOnly: options.headersOnly ?? false,
    filter,
  }
  const bytes = await RingBytes.open(async (thread, memory) => {
    for (const [path, reason] of await thread.call('pack', job, memory)) {
      onOmission?.({ path: Buffer.from(path, 'latin1'), reason })
    }
  }, options.release)
  try {
    signal?.throwIfAborted()
    await bytes.ready()
  } catch (error) {
    await bytes[Symbol.asyncDispose]()
    throw error
  }
  const tar = tarStream(bytes)
  return signal === undefined ? tar : addAbortSignal(signal, tar)
}
