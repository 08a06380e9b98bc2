import type { Capability } from './capabilities.ts'

/** What a suite may be told of the implementation that it is run on. */
export interface SuiteOptions {
  /** What the implementation needs of the machine. */
  readonly on?: readonly Capability[]
  readonly except?: Exceptions
  /** A directory of the filesystem to run on. */
  readonly under?: () => string
}

/** Milliseconds that one test may take: disks are slow, and machines busy. */
export const PATIENCE = 20_000

/** Where an implementation may differ: a test's title, and why it does not apply. */
export type Exceptions = Readonly<Record<string, string>>

/** Leaves out the tests that `except` names. Each must exist, so that none is stale. */
export function honour(except: Exceptions): void {
  before(function () {
    const left = this.test?.parent ? leaveOut(this.test.parent, except) : []
    const stale = Object.keys(except).filter((title) => !left.includes(title))
    if (stale.length > 0) throw new Error(`No such tests: ${stale.join(', ')}`)
  })
}

/** Answers the titles of what it took out of the suite, and of those in it. */
function leaveOut(suite: Mocha.Suite, except: Exceptions): string[] {
  const isExcepted = ({ title }: Mocha.Test): boolean => title in except
  const titles = suite.tests.filter(isExcepted).map(({ title }) => title)
  suite.tests = suite.tests.filter((test) => !isExcepted(test))
  return [
    ...titles,
    ...suite.suites.flatMap((inner) => leaveOut(inner, except)),
  ]
}
