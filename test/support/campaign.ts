/**
 * How much a campaign does: what the environment variable says, or `short`, which
 * is for every run of the tests.
 */
export function amount(variable: string, short: number): number {
  return Number(process.env[variable] ?? short)
}

/** Says in one line what a campaign did. */
export function tell(campaign: string, did: string): void {
  console.log(`      ${campaign}: ${did}`)
}

/** Throws `error` with what to type to see it again. */
export function failWith(how: string, error: unknown): never {
  throw new Error(`To see it again: ${how} npm run torture`, { cause: error })
}

/** Throws all that a campaign found, each with what to type to see it again. */
export function failTogether(failures: readonly Error[]): never {
  const told = failures.map(({ message, cause }) =>
    [`${message}:`, cause instanceof Error ? cause.message : ''].join('\n'),
  )
  failWith(told.join('\n\n'), failures[0]?.cause)
}
