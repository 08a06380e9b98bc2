import type { Log } from '../base/log.ts'
import { isTurnOver, nextTurn } from '../base/next-turn.ts'
import type { Holds } from '../state/holds.ts'
import { isOwnHolder } from './own-holder.ts'
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
 * What a store has when this process comes to it. What other processes had under way
 * ended with them, and nobody sees it any more: what was transferred is held no
 * longer, and what was half made is removed, for nobody was told of it.
 */
export async function listWhole(
  storer: VolumeStorer,
  options: ListWholeOptions,
): Promise<VolumeListing> {
  const listing = await storer.list()
  const repairs = [...(listing.repairs ?? [])]
  for (const volume of listing.volumes) {
    if (!isWhole(volume)) {
      repairs.push(...(await discarded(volume, storer, options)))
    } else if (options.holds.holders(volume.name).size > 0) {
      await letGo(volume, storer, options)
    }
    if (isTurnOver()) await nextTurn()
  }
  return { ...listing, volumes: listing.volumes.filter(isWhole), repairs }
}

/** Whether a volume has all that it was made for. */
export function isWhole({ options }: Volume): boolean {
  return options.unfinished === undefined
}

/**
 * Takes back what transfers held. It unmounts first: what is held and not mounted is
 * not held, by the next start.
 */
async function letGo(
  { name }: Volume,
  storer: VolumeStorer,
  { holds, log }: ListWholeOptions,
): Promise<void> {
  const transfers = [...holds.holders(name)]
    .filter(([holder]) => isOwnHolder(holder))
    .flatMap(([holder, times]) => Array<string>(times).fill(holder))
  if (transfers.length === 0) return
  try {
    if (holds.count(name) === transfers.length) await storer.unmount(name)
    for (const holder of transfers) await holds.drop(name, holder)
  } catch (error) {
    log.warn('Volume held by what has ended', { volume: name, error })
  }
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
