import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import * as fc from 'fast-check'
import { applyLayer } from '../../src/archive/layer-apply.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'
import {
  applyInOrder,
  buildBelow,
  contradictoryLayers,
  describedTree,
  possible,
} from '../support/random-layers.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const RUNS = Number(process.env.STOWAGE_TEST_RUNS ?? 40)

describe('A plan of lanes', () => {
  needs('root')
  const dir = useTempDir()

  it('makes the same tree as one thread that takes all in order', async function () {
    this.timeout(0)
    const [one, other] = ['one', 'other'].map((name) => join(dir.path, name))
    await fc.assert(
      fc.asyncProperty(contradictoryLayers, async (entries) => {
        const layer = await possible(one!, entries)
        await Promise.all([buildBelow(one!), buildBelow(other!)])
        applyInOrder(one!, layer)
        await applyLayer(other!, Readable.from([forgeTar(...layer)]))
        const [expected, found] = [
          await describedTree(one!),
          await describedTree(other!),
        ]
        await fs.rm(one!, { recursive: true })
        await fs.rm(other!, { recursive: true })
        expect(found, JSON.stringify(layer)).to.deep.equal(expected)
      }),
      { numRuns: RUNS },
    )
  })
})
