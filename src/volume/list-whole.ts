import type { Log } from '../base/log.ts'
import type { Holds } from '../state/holds.ts'
import type { VolumeListing, VolumeStorer } from './volume-storer.ts'
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
  const { volumes, problems } = await storer.list()
  for (const volume of volumes) {
    if (!isWhole(volume)) await discard(volume, storer, options)
  }
  return { volumes: volumes.filter(isWhole), problems }
}

/** Whether a volume has all that it was made for. */
export function isWhole({ options }: Volume): boolean {
  return options.unfinished === undefined
}

async function discard(
  { name }: Volume,
  storer: VolumeStorer,
  { holds, log }: ListWholeOptions,
): Promise<void> {
  try {
    await holds.clear(name)
    await storer.unmount(name)
    await storer.remove(name)
    log.info('Half made volume removed', { volume: name })
  } catch (error) {
    log.warn('Half made volume kept', { volume: name, error })
  }
}
