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
  readonly options: VolumeOptions
  /** Where its files are, or will be once it is mounted. */
  readonly mountpoint: string
}

/** `volume`, so that nobody who is handed it can change it for the others. */
export function frozenVolume(volume: Volume): Volume {
  return Object.freeze({ ...volume })
}
