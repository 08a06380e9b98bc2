import type { Confinement } from '../linux/confinement.ts'
import type { SharedRing } from './byte-ring.ts'
import type { IdMaps } from './id-map.ts'
import type { ArchiveLimits } from './limits.ts'

/** One lane's part of an apply, in words that can be sent to its thread. */
export interface ApplyJob {
  readonly root: string
  readonly idMaps: IdMaps
  readonly limits: ArchiveLimits
  readonly isFresh: boolean
  /** Those of an overlay whose upper directory the root is, nearest first. */
  readonly lowers?: readonly string[] | undefined
  /** The best there is, unless it is told. */
  readonly confinement?: Confinement | undefined
  readonly ring: SharedRing
  /** Where the lanes tell each other how far they are, see `Lane`. */
  readonly progress: SharedArrayBuffer
  readonly lane: number
}

/** What the thread of a lane does. */
export interface ApplyCalls {
  /** Applies what comes through the ring; answers the bytes that it made. */
  apply(job: ApplyJob): number
  [name: string]: (...values: never[]) => unknown
}
