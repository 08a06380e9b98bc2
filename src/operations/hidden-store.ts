import { InvalidArgumentError } from '../base/errors.ts'
import type { VolumeStoreSpec } from '../volume/volume-stores.ts'

/**
 * What the program of a managed plugin tells the daemon by: the directory beneath
 * which Docker sees what is mounted there. On a host it is not set.
 */
export const VISIBLE_ROOT = 'PROPAGATED_ROOT'

/**
 * Refuses a store outside `visible`. Docker sees nothing of a plugin but what is
 * beneath its propagated mount: it would show containers an empty directory in the
 * plugin's own root, and delete what they write there at the next upgrade.
 */
export function refuseHiddenStore(
  { name, path }: VolumeStoreSpec,
  visible: string,
): void {
  if (path === '' || path.startsWith(`${visible}/`)) return
  throw new InvalidArgumentError(
    `Volume store "${name}" is in "${path}", which Docker does not see in a plugin: leave its path empty, and mount its disk at /var/lib/stowage/volumes/${name}`,
  )
}
