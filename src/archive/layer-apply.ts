import type { Readable } from 'node:stream'
import { openInRoot } from '../linux/in-root.ts'
import { type IdMaps, NO_ID_MAPS } from './id-map.ts'
import { LayerExtractor } from './layer-extractor.ts'
import { type ArchiveLimits, DEFAULT_LIMITS } from './limits.ts'
import { TarReader } from './tar/tar-reader.ts'

export interface ApplyOptions {
  /** How the owners in the archive map to the host's. */
  readonly idMaps?: IdMaps | undefined
  readonly limits?: Partial<ArchiveLimits> | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Applies a layer tar to the tree at `root`, which shows what is below it, and
 * answers the bytes of the files that it made. Reads `tar` to its very end.
 *
 * Nothing outside `root` is read or written, whatever the archive holds. When it
 * fails, `root` is half done, and its owner's to delete.
 *
 * @throws InvalidArgumentError for what is not a layer tar or exceeds a limit; else
 * the system's error. Both name the entry.
 */
export async function applyLayer(
  root: string,
  tar: Readable,
  { idMaps = NO_ID_MAPS, limits, signal }: ApplyOptions = {},
): Promise<number> {
  const allLimits = { ...DEFAULT_LIMITS, ...limits }
  using confined = openInRoot(root)
  using extractor = new LayerExtractor(confined, { idMaps, limits: allLimits })
  const reader = new TarReader(extractor, allLimits)
  await eachChunk(tar, signal, (chunk) => reader.push(chunk))
  reader.finish()
  return extractor.finish()
}

/**
 * Hands on all chunks. When `take` fails the rest is read all the same: whoever
 * sends it can hear of the failure only then.
 */
async function eachChunk(
  tar: Readable,
  signal: AbortSignal | undefined,
  take: (chunk: Buffer) => void,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  for await (const chunk of tar) {
    signal?.throwIfAborted()
    if (failure !== undefined) continue
    try {
      take(chunk)
    } catch (error) {
      failure = { error }
    }
  }
  if (failure !== undefined) throw failure.error
}
