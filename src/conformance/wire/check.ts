import type { Bench } from './bench.ts'

/** What is examined: HTTP itself, volumes, or layers. */
export type Area = 'transport' | 'volumes' | 'layers'

/**
 * One promise that a plugin keeps or breaks.
 *
 * A check talks to the plugin as dockerd does, and looks at what it shows. It
 * throws where the promise is broken, with what was seen. It takes names of its own
 * from the bench, which clears them away, so that checks run in any order.
 */
export interface Check {
  readonly area: Area

  /** The promise, in words that complete "the plugin …". */
  readonly title: string

  /**
   * `must`: Docker fails, or loses something, where the promise is broken.
   * `should`: it does so in a bad moment, or somebody hostile can make it.
   */
  readonly weight: 'must' | 'should'

  /** Whether the plugin must be restarted for it. */
  readonly restarts?: boolean

  run(bench: Bench): Promise<void>
}

/** What became of a check. */
export interface Outcome {
  readonly area: Area
  readonly title: string
  readonly weight: 'must' | 'should'
  readonly result: 'kept' | 'broken' | 'skipped'
  /** What was seen instead, or why it could not be examined. */
  readonly reason?: string
  readonly milliseconds: number
}

/** Thrown by a check that finds nothing to examine. */
export class NotExamined extends Error {}
