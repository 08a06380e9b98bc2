import type { TrashEntry, TrashKeeper } from '../operations/trash-keeper.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'
import { checkAskedStore } from './asked-store.ts'
import type {
  trashEndpoints,
  TrashEntryView,
} from './contract/trash-endpoints.ts'
import type { Handlers } from './handler.ts'
import { volumeView } from './volume-view.ts'

/** Removed volumes, until they are deleted for good. */
export function trashHandlers(
  trash: TrashKeeper,
  volumes: VolumeLookupCache,
): Handlers<typeof trashEndpoints> {
  return {
    async listTrash({ query }) {
      checkAskedStore(query.store, volumes)
      return entryViews(await trash.list(query))
    },

    async restoreTrash({ params: { id }, body }) {
      const { name } = await trash.restore(id, body.name)
      return volumeView(volumes, volumes.entry(name))
    },

    async removeTrash({ params: { id } }) {
      await trash.delete(id)
    },

    async emptyTrash({ query }) {
      checkAskedStore(query.store, volumes)
      return { deleted: (await trash.empty(query)).map(entryView) }
    },
  }
}

function* entryViews(
  entries: readonly TrashEntry[],
): Generator<TrashEntryView, void> {
  for (const entry of entries) yield entryView(entry)
}

function entryView(entry: TrashEntry): TrashEntryView {
  const { id, name, store, removedAt, expiresAt, usage, holders } = entry
  return {
    id,
    volume: name,
    store,
    removedAt,
    expiresAt,
    bytes: usage?.allocated,
    holders: [...holders],
  }
}
