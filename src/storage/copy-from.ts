import type { Readable } from 'node:stream'
import { joinTars } from '../archive/joined-tar.ts'
import { type CopyMount, planCopyFrom } from './copy-plan.ts'
import type { Storage } from './storage.ts'

/**
 * What a container sees at `path`, all its mounts together, as one tar. It fails
 * when any of them does, and says which.
 *
 * @throws InvalidArgumentError when `path` is in none of `mounts`.
 */
export async function copyFrom(
  storage: Storage,
  path: string,
  mounts: readonly CopyMount[],
): Promise<Readable> {
  const steps = planCopyFrom(path, mounts)
  return joinTars(
    steps.map(({ mount, filter }) => ({
      name: mount.destination,
      open: () => storage.export(mount.key, mount.id, { filter }),
    })),
  )
}
