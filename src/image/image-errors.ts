import {
  AlreadyExistsError,
  InUseError,
  InvalidArgumentError,
  NotFoundError,
  UnavailableError,
} from '../base/errors.ts'

export class ImageStoreExistsError extends AlreadyExistsError {
  constructor(store: string, options?: ErrorOptions) {
    super(`Image store "${store}" already exists`, options)
  }
}

export class ImageStoreNotFoundError extends NotFoundError {
  constructor(store: string, options?: ErrorOptions) {
    super(`Image store "${store}" does not exist`, options)
  }
}

export class ImageNotFoundError extends NotFoundError {
  constructor(store: string, id: string, options?: ErrorOptions) {
    super(`Image "${id}" does not exist in store "${store}"`, options)
  }
}

/** Somebody lies on the image, or reads it. */
export class ImageInUseError extends InUseError {
  readonly holders: readonly string[]

  constructor(id: string, holders: readonly string[]) {
    super(`Image "${id}" is in use by ${holders.join(', ')}`)
    this.holders = holders
  }
}

/** The store is not empty, or somebody needs what is in it. */
export class ImageStoreInUseError extends InUseError {
  constructor(store: string, holders: readonly string[]) {
    super(`Image store "${store}" is in use by ${holders.join(', ')}`)
  }
}

/** The content is not what its digest says. */
export class DigestMismatchError extends InvalidArgumentError {
  constructor(id: string, expected: string, found: string) {
    super(`Image "${id}" must have the digest ${expected}, but has ${found}`)
  }
}

/**
 * Something is there and cannot be used as it is. It is kept: nobody may conclude
 * that it does not exist.
 */
export class DamagedImageError extends UnavailableError {
  constructor(what: string, reason: string, options?: ErrorOptions) {
    super(`${what} is damaged: ${reason}`, options)
  }
}
