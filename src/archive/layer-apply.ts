import * as fs from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { Confinement } from '../linux/confinement.ts'
import { applyInCrew } from './apply-crew.ts'
import { type IdMaps, NO_ID_MAPS } from './id-map.ts'
import { type ArchiveLimits, DEFAULT_LIMITS } from './limits.ts'

/** How a layer tar is applied. */
export interface ApplyOptions {
  /** How the owners in the archive map to the host's. */
  readonly idMaps?: IdMaps | undefined
  /**
   * Says that the root is the empty upper directory of an overlay over these,
   * nearest first; none at all for a layer without a parent. What the layer takes
   * away from below is then marked as overlay marks it, and the mount shows the
   * tree that an apply to the mounted layer would have made.
   */
  readonly lowers?: readonly string[] | undefined
  readonly limits?: Partial<ArchiveLimits> | undefined
  /** The best there is, unless it is told. */
  readonly confinement?: Confinement | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Applies a layer tar to the tree at `root`, which shows what is below it, and
 * answers the bytes of the files that it made. Reads `tar` to its very end, also
 * when it fails.
 *
 * Nothing outside `root` is read or written, whatever the archive holds. After a
 * failure `root` is half done, and its owner's to delete.
 *
 * @throws InvalidArgumentError for what is not a layer tar or exceeds a limit; else
 * the system's error. Both name the entry.
 */
export async function applyLayer(
  root: string,
  tar: Readable,
  options: ApplyOptions = {},
): Promise<number> {
  const { idMaps = NO_ID_MAPS, lowers, limits, confinement, signal } = options
  const job = {
    root,
    idMaps,
    limits: { ...DEFAULT_LIMITS, ...limits },
    isFresh: (lowers ?? []).length === 0 && (await isEmpty(root)),
    lowers,
    confinement,
  }
  return applyInCrew(job, tar, signal)
}

async function isEmpty(directory: string): Promise<boolean> {
  const opened = await fs.opendir(directory)
  try {
    return (await opened.read()) === null
  } finally {
    await opened.close()
  }
}
