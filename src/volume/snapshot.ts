import { InvalidArgumentError } from '../base/errors.ts'
import { isStorageName } from '../storage/storage-ref.ts'

/** What a volume held at one moment, kept under a name. */
export interface Snapshot {
  /** Unique among the snapshots of one volume. */
  readonly name: string
  /** When it was taken, as RFC 3339 has it. */
  readonly createdAt: string
}

/** What divides a volume's name from a snapshot's; no volume's name has it. */
const DIVIDER = '@'

const MAX_NAME_BYTES = 128

/** A volume, or one of its snapshots. */
export interface CloneSource {
  readonly volume: string
  readonly snapshot?: string
}

/**
 * Reads `VOLUME` or `VOLUME@SNAPSHOT`.
 *
 * @throws InvalidArgumentError when it is neither.
 */
export function parseCloneSource(text: string): CloneSource {
  const [volume = '', snapshot, ...rest] = text.split(DIVIDER)
  const names = [volume, ...(snapshot === undefined ? [] : [snapshot])]
  if (rest.length > 0 || !names.every(isStorageName)) {
    throw new InvalidArgumentError(
      `"${text}" is neither VOLUME nor VOLUME@SNAPSHOT`,
    )
  }
  return snapshot === undefined ? { volume } : { volume, snapshot }
}

export function formatCloneSource({ volume, snapshot }: CloneSource): string {
  return snapshot === undefined ? volume : volume + DIVIDER + snapshot
}

/** @throws InvalidArgumentError for what cannot be a snapshot's name. */
export function checkSnapshotName(name: string): void {
  if (isStorageName(name) && name.length <= MAX_NAME_BYTES) return
  throw new InvalidArgumentError(
    `Snapshot name ${JSON.stringify(name)} is not valid: use up to ${MAX_NAME_BYTES} letters, digits, "_", "." and "-", and begin with a letter or digit`,
  )
}

/** A name for a snapshot that nobody named: when it was taken, in UTC. */
export function nameByTime(now = new Date()): string {
  return now.toISOString().replaceAll(/[-:Z]/g, '').replace('T', '-')
}
