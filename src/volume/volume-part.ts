import type { Part } from '../storage/storage.ts'
import type { VolumeLookupCache } from './volume-lookup-cache.ts'
import { VolumeTransfers } from './volume-transfers.ts'

/** What volumes are imported and exported by. */
export const VOLUMES_KEY = 'volumes'

/**
 * Volumes as a part of storage. The catalogue is whoever opened it's to close: it
 * serves Docker whether or not anything is imported or exported.
 */
export function volumesPart(volumes: VolumeLookupCache): Part {
  return async ({ registry }) => {
    // Whoever asks for a transfer at a start waits, rather than hear that it is early.
    await volumes.opened()
    const transfers = new VolumeTransfers(volumes)
    const registrations = [
      registry.registerImporter(VOLUMES_KEY, transfers),
      registry.registerExporter(VOLUMES_KEY, transfers),
    ]
    return {
      async [Symbol.asyncDispose]() {
        for (const each of registrations) each[Symbol.dispose]()
      },
    }
  }
}
