import { InvalidArgumentError } from '../base/errors.ts'
import { isStorageName } from '../storage/storage-ref.ts'
import type { CatalogueEntry } from '../volume/store-entries.ts'
import {
  VolumeExistsError,
  VolumeNotFoundError,
} from '../volume/volume-errors.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'
import {
  optionDifferences,
  parseVolumeOptions,
} from '../volume/volume-options.ts'
import type { Fields } from './fields.ts'
import { answer, answerOrHangUp, type Methods } from './rpc.ts'

export interface VolumeRoutesOptions {
  /** Whether a name means the same volume on every host of a cluster. */
  readonly scope: 'local' | 'global'
}

/**
 * Docker's `VolumeDriver.*` methods, a line or two of translation each.
 *
 * Docker repeats calls whose answer it did not receive, so what is done already
 * is done well: see each method.
 */
export function volumeRoutes(
  volumes: VolumeLookupCache,
  { scope }: VolumeRoutesOptions,
): Methods {
  const routes: Methods = new Map()

  answer(routes, 'VolumeDriver.Create', async (request) => {
    await created(volumes, name(request), request.stringMap('Opts'))
  })

  // Docker says this when none of its containers has the volume, so whoever is
  // still said to hold it has died without a word.
  answer(routes, 'VolumeDriver.Remove', async (request) => {
    await absentIsFine(volumes.remove(name(request), { dropHolders: true }))
  })

  answer(routes, 'VolumeDriver.Mount', async (request) => {
    const [volume, holder] = [name(request), mountId(request)]
    return { Mountpoint: await volumes.mount(volume, holder) }
  })

  answer(routes, 'VolumeDriver.Unmount', async (request) => {
    await volumes.unmount(name(request), mountId(request))
  })

  answer(routes, 'VolumeDriver.Path', async (request) => {
    const { volume } = await volumes.settledEntry(name(request))
    return { Mountpoint: volume?.mountpoint ?? '' }
  })

  // Only a name that is surely absent is said to be.
  answerOrHangUp(routes, 'VolumeDriver.Get', async (request) => {
    const entry = await found(volumes, name(request))
    return { Volume: entry === undefined ? null : inspected(volumes, entry) }
  })

  answer(routes, 'VolumeDriver.List', async () => {
    return { Volumes: listedEach(await volumes.settledList()) }
  })

  answer(routes, 'VolumeDriver.Capabilities', async () => {
    return { Capabilities: { Scope: scope } }
  })

  return routes
}

/** Never empty: a call that Docker repeats may have lost its body. */
function name(request: Fields): string {
  const value = request.string('Name')
  if (value !== '') return value
  throw new InvalidArgumentError('Name is missing')
}

function mountId(request: Fields): string {
  const value = request.string('ID')
  if (/^[\w.:-]{1,255}$/.test(value)) return value
  throw new InvalidArgumentError(
    `ID ${JSON.stringify(value)} cannot tell who mounts a volume: it must be letters, digits, "_", ".", ":" and "-"`,
  )
}

/** A volume that is there already will do, if it is what was asked for. */
async function created(
  volumes: VolumeLookupCache,
  volume: string,
  typed: Readonly<Record<string, string>>,
): Promise<void> {
  try {
    await volumes.create(volume, typed)
  } catch (error) {
    if (!(error instanceof VolumeExistsError)) throw error
    const present = volumes.get(volume).options
    const differences = optionDifferences(present, parseVolumeOptions(typed))
    if (differences.length === 0) return
    throw new VolumeExistsError(volume, {
      cause: error,
      detail: differences.join('; '),
    })
  }
}

async function found(
  volumes: VolumeLookupCache,
  volume: string,
): Promise<CatalogueEntry | undefined> {
  if (!isStorageName(volume)) return undefined
  try {
    return await volumes.settledEntry(volume)
  } catch (error) {
    if (error instanceof VolumeNotFoundError) return undefined
    throw error
  }
}

async function absentIsFine(removal: Promise<unknown>): Promise<void> {
  try {
    await removal
  } catch (error) {
    if (!(error instanceof VolumeNotFoundError)) throw error
  }
}

function* listedEach(
  entries: readonly CatalogueEntry[],
): Generator<object, void> {
  for (const entry of entries) yield listed(entry)
}

/** Docker cannot read an empty `CreatedAt`, so an unknown one is left out. */
function listed({ name: volume, volume: known }: CatalogueEntry): object {
  return {
    Name: volume,
    Mountpoint: known?.mountpoint ?? '',
    CreatedAt: known?.createdAt,
  }
}

function inspected(volumes: VolumeLookupCache, entry: CatalogueEntry): object {
  const { options, capacity, snapshots = [] } = entry.volume ?? {}
  return {
    ...listed(entry),
    Status: {
      store: entry.store,
      kind: entry.kind,
      capacity,
      options: options?.typed,
      labels: options?.labels,
      snapshots: snapshots.map((snapshot) => snapshot.name),
      holders: volumes.holders(entry.name).size,
      problem: entry.problem,
    },
  }
}
