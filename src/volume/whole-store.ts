import { NotSupportedError } from '../base/errors.ts'
import { Thread } from '../base/thread.ts'
import { MAX_NAME_BYTES } from '../storage/storage-ref.ts'
import type { SimpleStore } from './simple-store.ts'
import type { StoreCalls } from './store-worker.ts'
import type {
  Refusal,
  VolumeCapabilities,
  VolumeStorer,
} from './volume-storer.ts'
import type { VolumeUsage } from './volume-usage.ts'

/** A store with all that a store can be asked for; one that has it is left alone. */
export function wholeStore(store: SimpleStore | VolumeStorer): VolumeStorer {
  if (isWhole(store)) return store
  const { name, kind, capabilities } = store
  const refused = async (what: string): Promise<never> => {
    throw new NotSupportedError(
      `Volume store "${name}" cannot ${what}, because ${UNTOLD.because}`,
    )
  }
  const mounted = store.mounted?.bind(store)
  return {
    name,
    kind,
    capabilities: { ...NOTHING, ...capabilities },
    create: (volume, options) => store.create(volume, options),
    get: (volume) => store.get(volume),
    list: () => store.list(),
    mount: (volume) => store.mount(volume),
    unmount: async (volume) => store.unmount?.(volume),
    ...(mounted === undefined ? {} : { mounted }),
    amend: () => refused('change what is said of a volume'),
    usage: async (volume) => measured((await store.get(volume)).mountpoint),
    room: () => refused('say how much room it has'),
    remove: (volume) => store.remove(volume),
    close: async () => store.close?.(),
  }
}

const UNTOLD: Refusal = { because: 'it is kept as simple as can be' }

const NOTHING: VolumeCapabilities = {
  maxNameBytes: MAX_NAME_BYTES,
  capacity: UNTOLD,
  ownership: UNTOLD,
  ro: UNTOLD,
  path: UNTOLD,
  from: UNTOLD,
  trash: UNTOLD,
  clone: UNTOLD,
  snapshots: UNTOLD,
  live: UNTOLD,
  pause: UNTOLD,
  grow: UNTOLD,
  shrink: UNTOLD,
  rename: UNTOLD,
}

function isWhole(store: SimpleStore | VolumeStorer): store is VolumeStorer {
  return 'amend' in store && 'usage' in store && 'room' in store
}

/** On a thread of its own: the tree may be large, and its disk may hang. */
async function measured(mountpoint: string): Promise<VolumeUsage> {
  const worker = new URL('store-worker.js', import.meta.url)
  const thread = new Thread<StoreCalls>(worker)
  try {
    return await thread.call('usage', mountpoint)
  } finally {
    await thread.close()
  }
}
