import { expect } from 'chai'

/** The error that `promise` rejects with, which must be a `kind` of error. */
export async function expectRejection<T extends Error>(
  promise: Promise<unknown>,
  kind: new (...args: never[]) => T,
  message: RegExp = /./,
): Promise<T> {
  try {
    await promise
  } catch (error) {
    if (!(error instanceof kind)) throw error
    expect(error.message).to.match(message)
    return error
  }
  return expect.fail(`expected a ${kind.name}, and nothing was thrown`)
}
