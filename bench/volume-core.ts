import { join } from 'node:path'
import { SILENT } from '../src/base/log.ts'
import { VolumeLookupCache } from '../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../src/volume/volume-stores.ts'
import { Disk } from './disk.ts'
import { makeManyVolumes, settled } from './many-volumes.ts'
import type { Samples } from './row.ts'
import type { Rounds } from './scenario.ts'
import { Stowage } from './stowage.ts'

const PAIRS = 200

/** What volumes cost without Docker: to be mounted, and to be found by a start. */
export async function benchVolumeCore(
  samples: Samples,
  { scratch, rounds }: Rounds,
): Promise<void> {
  await using disk = await Disk.make(scratch, 'core', 'ext4', 2)
  await benchMounts(join(disk.path, 'few'), rounds, samples)
  const many = join(disk.path, 'many')
  await makeManyVolumes(many)
  for (let round = 0; round <= rounds; round++) {
    const taken = await startWith(many)
    const row = {
      name: 'start with 10,000 volumes',
      target: 2000,
      unit: 'ms',
    } as const
    if (round > 0) samples.record(row, 'ours', { value: taken })
  }
}

async function benchMounts(
  dataRoot: string,
  rounds: number,
  samples: Samples,
): Promise<void> {
  const stores = parseStoreSpecs('default=local:').map((spec) =>
    storeSource(spec, { dataRoot, log: SILENT }),
  )
  const volumes = await VolumeLookupCache.open({
    dataRoot,
    stores,
    log: SILENT,
  })
  try {
    await volumes.opened()
    await volumes.create('db', {})
    for (let round = 0; round <= rounds; round++) {
      const start = performance.now()
      for (let pair = 0; pair < PAIRS; pair++) {
        await volumes.mount('db', 'bench')
        await volumes.unmount('db', 'bench')
      }
      const value = (performance.now() - start) / PAIRS
      const row = {
        name: 'mount and unmount, in the plugin',
        target: 1,
        unit: 'ms',
      } as const
      if (round > 0) samples.record(row, 'ours', { value })
    }
  } finally {
    await volumes.close()
  }
}

/** Milliseconds until the daemon tells all that there is to know of a volume. */
async function startWith(directory: string): Promise<number> {
  const start = performance.now()
  await using daemon = await Stowage.start({ directory })
  await settled(daemon)
  return performance.now() - start
}
