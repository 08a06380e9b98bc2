import { parseCapacity } from '../volume/capacity.ts'
import type { CatalogueEntry } from '../volume/store-entries.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'
import { checkAskedStore } from './asked-store.ts'
import type {
  volumeEndpoints,
  VolumeView,
} from './contract/volume-endpoints.ts'
import type { Handlers } from './handler.ts'
import { volumeView } from './volume-view.ts'

/** Volumes, one at a time and all together. */
export function volumeHandlers(
  volumes: VolumeLookupCache,
): Handlers<typeof volumeEndpoints> {
  const view = (name: string): VolumeView =>
    volumeView(volumes, volumes.entry(name))

  return {
    async listVolumes({ query: { store, label, held } }) {
      checkAskedStore(store, volumes)
      const isAskedFor = (entry: CatalogueEntry): boolean =>
        (store === undefined || entry.store === store) &&
        label.every((text) => hasLabel(entry, text)) &&
        (!held || volumes.holders(entry.name).size > 0)
      const entries = await volumes.settledList()
      return viewsOf(volumes, entries, isAskedFor)
    },

    async inspectVolume({ params: { name } }) {
      return volumeView(volumes, await volumes.settledEntry(name))
    },

    async createVolume({ body: { name, options } }) {
      await volumes.create(name, options)
      return view(name)
    },

    async removeVolume({ params: { name } }) {
      await volumes.remove(name)
    },

    async measureVolume({ params: { name } }) {
      const usage = await volumes.usage(name)
      return { ...usage, capacity: volumes.get(name).capacity }
    },

    async renameVolume({ params: { name }, body: { to } }) {
      await volumes.changes.rename(name, to)
      return view(to)
    },

    async resizeVolume({ params: { name }, body: { capacity } }) {
      const bytes = parseCapacity(capacity)
      const { effective } = await volumes.changes.resize(name, bytes)
      return { ...view(name), effective }
    },

    async setVolume({ params: { name }, body: { options } }) {
      await volumes.changes.set(name, withoutNulls(options))
      return view(name)
    },

    async protectVolume({ params: { name }, body: { isProtected } }) {
      await volumes.protect(name, isProtected)
      return view(name)
    },

    async adoptVolume({ body: { name, path, options } }) {
      await volumes.adopt(name, path, options)
      return view(name)
    },

    async releaseVolume({ params: { name } }) {
      const { volume } = await volumes.settledEntry(name)
      await volumes.release(name)
      return { path: volume?.options.path ?? '' }
    },
  }
}

function* viewsOf(
  volumes: VolumeLookupCache,
  entries: readonly CatalogueEntry[],
  isAskedFor: (entry: CatalogueEntry) => boolean,
): Generator<VolumeView, void> {
  for (const entry of entries) {
    if (isAskedFor(entry)) yield volumeView(volumes, entry)
  }
}

/** What is null is to be taken away. */
function withoutNulls(
  options: Readonly<Record<string, string | null>>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(options).map(([name, text]) => [name, text ?? undefined]),
  )
}

/** Whether the volume has the label KEY, or KEY=VALUE. */
function hasLabel({ volume }: CatalogueEntry, text: string): boolean {
  const [key = '', ...rest] = text.split('=')
  const value = volume?.options.labels[key]
  if (value === undefined) return false
  return rest.length === 0 || value === rest.join('=')
}
