import { formatRef } from '../storage/storage-ref.ts'
import type { CatalogueEntry } from '../volume/store-entries.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'
import type { VolumeView } from './contract/volume-endpoints.ts'

/** What the API tells of one name in the catalogue. */
export function volumeView(
  volumes: VolumeLookupCache,
  { name, store, kind, volume, problem }: CatalogueEntry,
): VolumeView {
  const options = volume?.options
  return {
    name,
    store,
    kind,
    link: formatRef({ kind: 'volume', store, id: name }),
    createdAt: volume?.createdAt,
    mountpoint: volume?.mountpoint,
    capacity: volume?.capacity ?? options?.capacity,
    snapshots: volume?.snapshots.length ?? 0,
    isReadOnly: options?.ro ?? false,
    isProtected: options?.protect ?? false,
    isAdopted: options?.path !== undefined,
    labels: { ...options?.labels },
    options: { ...options?.typed },
    holders: [...volumes.holders(name)].map(([id, holds]) => ({ id, holds })),
    problem,
  }
}
