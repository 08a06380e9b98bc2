import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { removeBelow } from '../../src/archive/confined-removal.ts'
import { NO_ID_MAPS } from '../../src/archive/id-map.ts'
import { Lane } from '../../src/archive/lane.ts'
import { LayerExtractor } from '../../src/archive/layer-extractor.ts'
import { DEFAULT_LIMITS } from '../../src/archive/limits.ts'
import { TarReader } from '../../src/archive/tar/tar-reader.ts'
import { StowageError } from '../../src/base/errors.ts'
import { openInRoot } from '../../src/linux/in-root.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { randomFrom } from '../support/random-from.ts'
import { mutatedTar } from '../support/tar-mutations.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { build, directory, file, portray } from '../../src/conformance/tree.ts'

const MUTATIONS = Number(process.env.STOWAGE_FUZZ ?? 300)
const SEED = Number(process.env.STOWAGE_FUZZ_SEED ?? Date.now() % 2 ** 31)
const LONGEST_MS = 5000
const MOST_MEMORY = 512 * 1024 ** 2

/** The first canary is looked at each time, all of it now and then. */
const FULL_LOOK = 1000

describe('A mutated layer', () => {
  needs('root')
  // Memory is where a hundred thousand trees are quickly made and gone.
  const dir = useTempDir(() =>
    fs.existsSync('/dev/shm') ? '/dev/shm' : '/tmp',
  )

  it('ends in a tree or in an error, soon, and never outside its root', async function () {
    this.timeout(0)
    await build(
      dir.path,
      directory('outside'),
      file('outside/canary', 'alive'),
      directory('root'),
    )
    const before = await portray(join(dir.path, 'outside'))
    for (let i = 0; i < MUTATIONS; i++) {
      const seed = SEED + i
      const started = performance.now()
      const failure = failureOf(join(dir.path, 'root'), seed)
      const how = `seed ${seed}: ${String(failure?.stack)}`
      expect(performance.now() - started, how).to.be.lessThan(LONGEST_MS)
      expect(isExpected(failure), how).to.equal(true)
      expect(fs.readdirSync(dir.path), how).to.have.length(2)
      if (i % FULL_LOOK > 0 && i < MUTATIONS - 1) continue
      expect(await portray(join(dir.path, 'outside')), how).to.deep.equal(
        before,
      )
      expect(process.memoryUsage().rss, how).to.be.lessThan(MOST_MEMORY)
    }
  })
})

/** Applies the tar of `seed`, in pieces of odd sizes, and clears away what it made. */
function failureOf(root: string, seed: number): Error | undefined {
  const random = randomFrom(seed)
  const tar = mutatedTar(random)
  using confined = openInRoot(root)
  using extractor = new LayerExtractor(confined, {
    idMaps: NO_ID_MAPS,
    limits: DEFAULT_LIMITS,
    isFresh: random(2) === 0,
    isUpper: false,
    lane: Lane.alone(),
  })
  try {
    const reader = new TarReader(extractor, DEFAULT_LIMITS)
    for (let at = 0, end; at < tar.length; at = end) {
      end = at + 1 + random(2000)
      reader.push(tar.subarray(at, end))
    }
    reader.finish()
    extractor.finish()
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    removeBelow(confined, '', () => false)
  }
}

/** Refused by us or by the system; anything else is a defect of ours. */
function isExpected(failure: Error | undefined): boolean {
  if (failure === undefined || failure instanceof StowageError) return true
  return 'syscall' in failure && 'code' in failure
}
