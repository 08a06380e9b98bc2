import { InvalidArgumentError } from '../src/base/errors.ts'
import { parseStoreSpecs } from '../src/volume/volume-stores.ts'

/**
 * Refuses stores outside `dataRoot`. Docker sees nothing of a plugin but what is
 * beneath its propagated mount: it would show containers an empty directory in the
 * plugin's own root, and delete what they write there at the next upgrade.
 *
 * @param text What STOWAGE_STORES says.
 */
export function refuseHiddenStores(
  text: string | undefined,
  dataRoot: string,
): void {
  if (text === undefined || text === '') return
  const hidden = parseStoreSpecs(text).find(
    ({ path }) => path !== '' && !path.startsWith(`${dataRoot}/`),
  )
  if (hidden === undefined) return
  throw new InvalidArgumentError(
    `Volume store "${hidden.name}" is in "${hidden.path}", which Docker does not see in a plugin: leave its path empty, and mount its disk at /var/lib/stowage/volumes/${hidden.name}`,
  )
}
