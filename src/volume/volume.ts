import type { Snapshot } from './snapshot.ts'
import type { VolumeOptions } from './volume-options.ts'

/**
 * A volume as its store described it at one moment. Values, not handles: what a
 * volume can do is asked of its store.
 */
export interface Volume {
  readonly name: string
  /** The name of the store that keeps it. */
  readonly store: string
  /** When it was created, as RFC 3339 has it. */
  readonly createdAt: string
  /** What it was asked to be. */
  readonly options: VolumeOptions
  /** The most bytes it may hold now, be it by option, by default, or by resizing. */
  readonly capacity?: number | undefined
  /** What is kept of its past, by name. They go where it goes. */
  readonly snapshots: readonly Snapshot[]
  /** Where its files are, or will be once it is mounted. */
  readonly mountpoint: string
}

/** What is said of a volume, whose past may be left out where none is kept. */
export type VolumeFacts = Omit<Volume, 'snapshots'> & Partial<Volume>

/** `volume`, so that nobody who is handed it can change it for the others. */
export function frozenVolume(volume: VolumeFacts): Volume {
  return Object.freeze({ snapshots: [], ...volume })
}
