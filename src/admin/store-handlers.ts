import type { KnownStore, Stores } from '../operations/stores.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'
import type { storeEndpoints, StoreView } from './contract/store-endpoints.ts'
import type { Handlers } from './handler.ts'

/** The volume stores, and what is wrong with them. */
export function storeHandlers(
  stores: Stores,
  volumes: VolumeLookupCache,
): Handlers<typeof storeEndpoints> {
  return {
    async listStores() {
      return stores.list().map(storeView)
    },

    async addStore({ body: { spec } }) {
      return storeView(await stores.add(spec))
    },

    async checkStore({ params: { store: name } }) {
      const store = await stores.check(name)
      const problems = volumes.list().flatMap((entry) => {
        const { name: volume, problem } = entry
        if (entry.store !== name || problem === undefined) return []
        return [{ volume, reason: problem }]
      })
      return { store: storeView(store), problems }
    },

    async removeStore({ params: { store } }) {
      await stores.remove(store)
    },
  }
}

function storeView({ names, ...rest }: KnownStore): StoreView {
  return { ...rest, volumes: names }
}
