import { daemonEndpoints } from './daemon-endpoints.ts'
import type { Endpoint } from './endpoint.ts'
import { jobEndpoints } from './job-endpoints.ts'
import { layerEndpoints } from './layer-endpoints.ts'
import { scheduleEndpoints } from './schedule-endpoints.ts'
import { snapshotEndpoints } from './snapshot-endpoints.ts'
import { storeEndpoints } from './store-endpoints.ts'
import { transferEndpoints } from './transfer-endpoints.ts'
import { trashEndpoints } from './trash-endpoints.ts'
import { volumeEndpoints } from './volume-endpoints.ts'

/** The whole API: every operation by its name. */
export const ENDPOINTS = {
  ...volumeEndpoints,
  ...snapshotEndpoints,
  ...transferEndpoints,
  ...trashEndpoints,
  ...scheduleEndpoints,
  ...storeEndpoints,
  ...layerEndpoints,
  ...jobEndpoints,
  ...daemonEndpoints,
} as const satisfies Readonly<Record<string, Endpoint>>
