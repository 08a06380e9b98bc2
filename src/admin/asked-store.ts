import { VolumeStoreNotFoundError } from '../volume/volume-errors.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'

/**
 * Nothing of a store that does not exist would look like a store without anything.
 *
 * @throws VolumeStoreNotFoundError when `store` is asked for, and there is none.
 */
export function checkAskedStore(
  store: string | undefined,
  volumes: VolumeLookupCache,
): void {
  const names = volumes.stores().map(({ name }) => name)
  if (store === undefined || names.includes(store)) return
  throw new VolumeStoreNotFoundError(store, names)
}
