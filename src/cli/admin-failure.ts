import type { Failure } from '../admin/contract/failure.ts'

/** The daemon has refused something, or failed at it. */
export class AdminFailure extends Error {
  override readonly name = 'AdminFailure'
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}
