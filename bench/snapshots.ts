import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { SILENT } from '../src/base/log.ts'
import { reserve } from '../src/linux/fallocate.ts'
import { VolumeLookupCache } from '../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../src/volume/volume-stores.ts'
import { Disk } from './disk.ts'
import type { Samples } from './row.ts'
import type { Rounds } from './scenario.ts'

const GIB = 1024 ** 3

/** How large the volumes are: what is taken of the larger must not take longer. */
const SIZES = [1, 10]

const FILES_A_GIB = 8

/**
 * Snapshots, clones and rollbacks of btrfs volumes, in the core by itself: they take
 * as long for 10 GiB as for one. The room is taken for good, though not written.
 */
export async function benchSnapshots(
  samples: Samples,
  { scratch, rounds }: Rounds,
): Promise<void> {
  await using disk = await Disk.make(scratch, 'snapshots', 'btrfs', 16)
  const [dataRoot, log] = [disk.path, SILENT]
  const stores = parseStoreSpecs('default=btrfs:?capacity=20GiB').map((spec) =>
    storeSource(spec, { dataRoot, log }),
  )
  const volumes = await VolumeLookupCache.open({ dataRoot, stores, log })
  try {
    await volumes.opened()
    for (const size of SIZES) await fill(volumes, `volume-${size}`, size)
    for (let round = 0; round < rounds; round++) {
      for (const size of SIZES) await useOne(volumes, size, samples)
    }
  } finally {
    await volumes.close()
  }
}

async function fill(
  volumes: VolumeLookupCache,
  name: string,
  gibibytes: number,
): Promise<void> {
  await volumes.create(name, {})
  const path = await volumes.mount(name, 'bench')
  for (let nth = 0; nth < gibibytes * FILES_A_GIB; nth++) {
    await using file = await fs.open(join(path, `file-${nth}`), 'w')
    await reserve(file, GIB / FILES_A_GIB)
    await file.write('so that something is written')
  }
  await volumes.unmount(name, 'bench')
}

async function useOne(
  volumes: VolumeLookupCache,
  size: number,
  samples: Samples,
): Promise<void> {
  const [name, snapshot] = [`volume-${size}`, 'now']
  const measured = async (
    what: string,
    work: () => Promise<unknown>,
  ): Promise<void> => {
    const start = performance.now()
    await work()
    const row = {
      name: `${what} ${size} GiB`,
      target: 100,
      unit: 'ms',
    } as const
    samples.record(row, 'ours', { value: performance.now() - start })
  }
  await measured('snapshot of', () =>
    volumes.snapshots.create(name, { name: snapshot }),
  )
  await measured('clone of', () => volumes.changes.clone(name, 'clone'))
  await volumes.remove('clone', { forGood: true })
  let saved = ''
  await measured('rollback of', async () => {
    saved = (await volumes.snapshots.rollback(name, snapshot)).saved.name
  })
  for (const each of [snapshot, saved]) {
    await volumes.snapshots.delete(name, each)
  }
}
