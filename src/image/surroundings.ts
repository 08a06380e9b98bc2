import type { Log } from '../base/log.ts'
import type { Driver } from '../graph/driver.ts'
import type { Drafts } from './drafts.ts'
import type { Removals } from './removals.ts'

/** What all image stores of one root share. */
export interface Surroundings {
  readonly root: string
  readonly driver: Driver
  readonly drafts: Drafts
  readonly removals: Removals
  /** The most images that may lie on one another. */
  readonly maxLayerDepth: number
  /** The most bytes that one store's images may hold. */
  readonly imageQuota: number
  /** Who needs an image for reasons that are not known here, by their names. */
  readonly holders: (store: string, id: string) => Promise<readonly string[]>
  readonly log: Log
}
