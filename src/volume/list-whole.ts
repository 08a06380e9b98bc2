import type { Log } from '../base/log.ts'
import type { Holds } from '../state/holds.ts'
import type {
  VolumeListing,
  VolumeRepair,
  VolumeStorer,
} from './volume-storer.ts'
import type { Volume } from './volume.ts'

export interface ListWholeOptions {
  readonly holds: Holds
  readonly log: Log
}

/**
 * What a store has when this process comes to it. What another process began and
 * has not finished is removed first, and nobody sees it: nobody was told of it.
 */
export async function listWhole(
  storer: VolumeStorer,
  options: ListWholeOptions,
): Promise<VolumeListing> {
  const listing = await storer.list()
  const repairs = [...(listing.repairs ?? [])]
  for (const volume of listing.volumes) {
    if (isWhole(volume)) continue
    repairs.push(...(await discarded(volume, storer, options)))
  }
  return { ...listing, volumes: listing.volumes.filter(isWhole), repairs }
}

/** Whether a volume has all that it was made for. */
export function isWhole({ options }: Volume): boolean {
  return options.unfinished === undefined
}

async function discarded(
  { name, options: { unfinished } }: Volume,
  storer: VolumeStorer,
  { holds, log }: ListWholeOptions,
): Promise<readonly VolumeRepair[]> {
  try {
    await holds.clear(name)
    await storer.unmount(name)
    await storer.remove(name)
    return [{ name, repair: `it is gone: its ${unfinished} was cut short` }]
  } catch (error) {
    log.warn('Half made volume kept', { volume: name, error })
    return []
  }
}
