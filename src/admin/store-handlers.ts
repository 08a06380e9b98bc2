import { UnavailableError } from '../base/errors.ts'
import type { KnownStore, Stores } from '../operations/stores.ts'
import type { TrashKeeper } from '../operations/trash-keeper.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'
import type { VolumeCapabilities } from '../volume/volume-storer.ts'
import type { StoreRoom } from '../volume/volume-usage.ts'
import type { storeEndpoints, StoreView } from './contract/store-endpoints.ts'
import type { Handlers } from './handler.ts'

interface StoreParts {
  readonly stores: Stores
  readonly volumes: VolumeLookupCache
  readonly trash: TrashKeeper
}

/** The volume stores, and what is wrong with them. */
export function storeHandlers({
  stores,
  volumes,
  trash,
}: StoreParts): Handlers<typeof storeEndpoints> {
  const view = async ({
    names,
    repairs: done,
    ...rest
  }: KnownStore): Promise<StoreView> => {
    const repairs = done.map(({ name: volume, repair }) => ({ volume, repair }))
    const facts = { ...rest, volumes: names, repairs }
    const { name, state } = rest
    if (state === 'opening' || state === 'offline') return facts
    const room = await roomOf(volumes, name)
    const cannot = inabilities(volumes.capabilities(name))
    const removed = (await trash.sizes()).get(name)?.allocated
    const { total: size, free } = room ?? {}
    return { ...facts, size, free, trash: removed, cannot }
  }
  return {
    async listStores() {
      return Promise.all(stores.list().map(view))
    },

    async addStore({ body: { spec } }) {
      return view(await stores.add(spec))
    },

    async checkStore({ params: { store: name } }) {
      const store = await stores.check(name)
      const problems = volumes.list().flatMap((entry) => {
        const { name: volume, problem } = entry
        if (entry.store !== name || problem === undefined) return []
        return [{ volume, reason: problem }]
      })
      return { store: await view(store), problems }
    },

    async removeStore({ params: { store } }) {
      await stores.remove(store)
    },
  }
}

/** A store that hangs is told of without its room. */
async function roomOf(
  volumes: VolumeLookupCache,
  store: string,
): Promise<StoreRoom | undefined> {
  try {
    return await volumes.room(store)
  } catch (error) {
    if (error instanceof UnavailableError) return undefined
    throw error
  }
}

function inabilities(capabilities: VolumeCapabilities): Record<string, string> {
  return Object.fromEntries(
    Object.entries(capabilities).flatMap(([name, ability]) =>
      typeof ability === 'object' ? [[name, ability.because]] : [],
    ),
  )
}
