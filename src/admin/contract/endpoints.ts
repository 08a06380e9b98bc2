import { daemonEndpoints } from './daemon-endpoints.ts'
import type { Endpoint } from './endpoint.ts'
import { jobEndpoints } from './job-endpoints.ts'
import { layerEndpoints } from './layer-endpoints.ts'
import { storeEndpoints } from './store-endpoints.ts'
import { transferEndpoints } from './transfer-endpoints.ts'
import { volumeEndpoints } from './volume-endpoints.ts'

/** The rows that are served, by group. */
export const SERVED = {
  volumes: only(volumeEndpoints, [
    'listVolumes',
    'inspectVolume',
    'createVolume',
    'removeVolume',
  ]),
  transfers: only(transferEndpoints, ['exportVolume', 'importVolume']),
  stores: storeEndpoints,
  layers: layerEndpoints,
  jobs: jobEndpoints,
  daemon: daemonEndpoints,
} as const

/** The whole API: every operation by its name. */
export const ENDPOINTS = {
  ...SERVED.volumes,
  ...SERVED.transfers,
  ...SERVED.stores,
  ...SERVED.layers,
  ...SERVED.jobs,
  ...SERVED.daemon,
} as const satisfies Readonly<Record<string, Endpoint>>

function only<T extends object, K extends keyof T>(
  table: T,
  names: readonly K[],
): Pick<T, K> {
  const rows: Partial<Pick<T, K>> = {}
  for (const name of names) rows[name] = table[name]
  if (hasAll(rows, names)) return rows
  throw new Error('A row is missing')
}

function hasAll<T extends object, K extends keyof T>(
  rows: Partial<Pick<T, K>>,
  names: readonly K[],
): rows is Pick<T, K> {
  return names.every((name) => rows[name] !== undefined)
}
