import type { Snapshot } from '../volume/snapshot.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'
import type {
  snapshotEndpoints,
  SnapshotView,
} from './contract/snapshot-endpoints.ts'
import type { Handlers } from './handler.ts'
import { volumeView } from './volume-view.ts'

/** What is kept of the past of volumes. */
export function snapshotHandlers(
  volumes: VolumeLookupCache,
): Handlers<typeof snapshotEndpoints> {
  return {
    async listSnapshots({ params: { name } }) {
      await volumes.settledEntry(name)
      return volumes.snapshots
        .list(name)
        .toSorted((one, other) => (one.createdAt < other.createdAt ? -1 : 1))
        .map((snapshot) => snapshotView(name, snapshot))
    },

    async createSnapshot({ params: { name }, body }) {
      const snapshot = await volumes.snapshots.create(name, body)
      return snapshotView(name, snapshot)
    },

    async removeSnapshot({ params: { name, snapshot } }) {
      await volumes.snapshots.delete(name, snapshot)
    },

    async rollbackVolume({ params: { name, snapshot } }) {
      const { saved } = await volumes.snapshots.rollback(name, snapshot)
      return {
        volume: volumeView(volumes, volumes.entry(name)),
        saved: snapshotView(name, saved),
      }
    },
  }
}

function snapshotView(
  volume: string,
  { name, createdAt }: Snapshot,
): SnapshotView {
  return { name, volume, createdAt }
}
