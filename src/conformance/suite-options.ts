import type { Capability } from './capabilities.ts'

/** What a suite may be told of the implementation that it is run on. */
export interface SuiteOptions {
  /** What the implementation needs of the machine. */
  readonly on?: readonly Capability[]
  readonly except?: Exceptions
  /** A directory of the filesystem to run on. */
  readonly under?: () => string
}

/** Where an implementation may differ: a test's title, and why it does not apply. */
export type Exceptions = Readonly<Record<string, string>>

/** Skips the tests that `except` names. Each must exist, so that none is stale. */
export function honour(except: Exceptions): void {
  beforeEach(function () {
    if ((this.currentTest?.title ?? '') in except) this.skip()
  })
  after(function () {
    const titles = this.test?.parent ? titlesOf(this.test.parent) : []
    const stale = Object.keys(except).filter((it) => !titles.includes(it))
    if (stale.length > 0) throw new Error(`No such tests: ${stale.join(', ')}`)
  })
}

function titlesOf({ tests, suites }: Mocha.Suite): string[] {
  return [...tests.map(({ title }) => title), ...suites.flatMap(titlesOf)]
}
