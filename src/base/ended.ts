/** Settles when `promise` does, and never rejects: somebody else is told how it went. */
export function ended(promise: Promise<unknown>): Promise<void> {
  return promise.then(ignore, ignore)
}

function ignore(): void {}
