import type { CatalogueEntry } from '../volume/attached-store.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'
import type { SERVED } from './contract/endpoints.ts'
import type { VolumeView } from './contract/volume-endpoints.ts'
import type { Handlers } from './handler.ts'
import { volumeView } from './volume-view.ts'

/** Volumes, one at a time and all together. */
export function volumeHandlers(
  volumes: VolumeLookupCache,
): Handlers<typeof SERVED.volumes> {
  const view = (name: string): VolumeView =>
    volumeView(volumes, volumes.entry(name))

  return {
    async listVolumes({ query: { store, label, held } }) {
      const entries = await volumes.settledList()
      return entries
        .filter((entry) => store === undefined || entry.store === store)
        .filter((entry) => label.every((text) => hasLabel(entry, text)))
        .filter(({ name }) => !held || volumes.holders(name).size > 0)
        .map((entry) => volumeView(volumes, entry))
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
  }
}

/** Whether the volume has the label KEY, or KEY=VALUE. */
function hasLabel({ volume }: CatalogueEntry, text: string): boolean {
  const [key = '', ...rest] = text.split('=')
  const value = volume?.options.labels[key]
  if (value === undefined) return false
  return rest.length === 0 || value === rest.join('=')
}
