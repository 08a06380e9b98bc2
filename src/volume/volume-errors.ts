import {
  AlreadyExistsError,
  InUseError,
  NotFoundError,
  UnavailableError,
} from '../base/errors.ts'

/** What is said of a volume that exists. */
export interface ExistsOptions extends ErrorOptions {
  /** In what the volume differs from the one asked for. */
  readonly detail?: string
}

/** The name is taken, in this store or another. */
export class VolumeExistsError extends AlreadyExistsError {
  constructor(name: string, { detail, ...options }: ExistsOptions = {}) {
    const otherwise =
      detail === undefined ? '' : ` with other options: ${detail}`
    super(`Volume "${name}" already exists${otherwise}`, options)
  }
}

/** No store has the volume, and all stores were asked. */
export class VolumeNotFoundError extends NotFoundError {
  constructor(name: string, options?: ErrorOptions) {
    super(`Volume "${name}" does not exist`, options)
  }
}

/** One volume is out of reach, and not the store that it is in. */
export class VolumeUnavailableError extends UnavailableError {}

/** Somebody holds the volume. */
export class VolumeInUseError extends InUseError {
  readonly holders: readonly string[]

  constructor(name: string, holders: readonly string[]) {
    super(`Volume "${name}" is in use by ${holders.join(', ')}`)
    this.holders = holders
  }
}

/** No store goes by that name. */
export class VolumeStoreNotFoundError extends NotFoundError {
  constructor(name: string, known: readonly string[]) {
    const choice = known.map((store) => `"${store}"`).join(', ')
    super(
      `Volume store "${name}" does not exist: ${choice === '' ? 'there are no stores' : `there is ${choice}`}`,
    )
  }
}

/** The volume has a snapshot of that name. */
export class SnapshotExistsError extends AlreadyExistsError {
  constructor(volume: string, snapshot: string, options?: ErrorOptions) {
    super(`Volume "${volume}" has a snapshot "${snapshot}" already`, options)
  }
}

/** The volume has no snapshot of that name. */
export class SnapshotNotFoundError extends NotFoundError {
  constructor(volume: string, snapshot: string, options?: ErrorOptions) {
    super(`Volume "${volume}" has no snapshot "${snapshot}"`, options)
  }
}
