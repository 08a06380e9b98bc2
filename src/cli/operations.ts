import { daemonEndpoints } from '../admin/contract/daemon-endpoints.ts'
import type { AnswerOf, RequestTo } from '../admin/contract/endpoint.ts'
import { jobEndpoints } from '../admin/contract/job-endpoints.ts'
import { layerEndpoints } from '../admin/contract/layer-endpoints.ts'
import { scheduleEndpoints } from '../admin/contract/schedule-endpoints.ts'
import { snapshotEndpoints } from '../admin/contract/snapshot-endpoints.ts'
import { storeEndpoints } from '../admin/contract/store-endpoints.ts'
import { transferEndpoints } from '../admin/contract/transfer-endpoints.ts'
import { trashEndpoints } from '../admin/contract/trash-endpoints.ts'
import { volumeEndpoints } from '../admin/contract/volume-endpoints.ts'

/** All that a daemon can be asked, by name. */
export const OPERATIONS = {
  ...volumeEndpoints,
  ...snapshotEndpoints,
  ...transferEndpoints,
  ...trashEndpoints,
  ...scheduleEndpoints,
  ...storeEndpoints,
  ...layerEndpoints,
  ...jobEndpoints,
  ...daemonEndpoints,
} as const

type Rows = typeof OPERATIONS

/** The operations whose answers have the form `K`. */
export type OperationWith<K extends 'json' | 'nothing' | 'lines' | 'bytes'> = {
  [N in keyof Rows]: Rows[N]['answer'] extends { readonly kind: K } ? N : never
}[keyof Rows]

export type RequestFor<N extends keyof Rows> = RequestTo<Rows[N]>
export type AnswerFrom<N extends keyof Rows> = AnswerOf<Rows[N]>
