/** Settles when `promise` does, and never rejects: somebody else is told how it went. */
export async function ended(promise: Promise<unknown>): Promise<void> {
  try {
    await promise
  } catch {
    // Whoever the promise is for is told.
  }
}
