import type { RootHookObject } from 'mocha'
import * as fc from 'fast-check'
import { missing } from '../../src/conformance/capabilities.ts'

// As in main: modes are stated where files are made, and mean what they say.
process.umask(0)

// A run of all tests can be repeated; campaigns draw new cases.
const seed = process.env.STOWAGE_SEED
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) })

export const mochaHooks: RootHookObject = {
  /** Every file may run in a process of its own, and says itself what it skipped. */
  afterAll() {
    for (const [capability, reason] of missing()) {
      process.stderr.write(`Skipped what needs ${capability}: ${reason}\n`)
    }
  },
}
