import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import * as fc from 'fast-check'
import { type Capability, needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { amount, tell } from '../support/campaign.ts'
import {
  type FilesystemKind,
  useLoopFilesystem,
} from '../support/loop-filesystem.ts'
import {
  type Act,
  after,
  between,
  comparable,
  type Directories,
  EMPTY,
  isBeyond,
  type Model,
  type ModelStore,
  type Seen,
  seenOf,
} from '../support/volume-model.ts'
import { VolumeProcess } from '../support/volume-process.ts'

const SEQUENCES = amount('STOWAGE_SEQUENCES', 1)

const MIB = 1024 * 1024

interface Kind {
  readonly stores: string
  readonly store: ModelStore
  readonly disk?: FilesystemKind
  readonly on?: readonly Capability[]
  /** The longest that it takes for one act to be done, or so. */
  readonly longest: number
}

const ALL = {
  snapshots: true,
  keepsRemoved: true,
  resizes: true,
  adopts: false,
} as const

describeModel('local', {
  stores: 'default=local:',
  store: { ...ALL, resizes: false, adopts: true, capacity: 0 },
  longest: 20,
})
describeModel('btrfs', {
  stores: 'default=btrfs:?capacity=32MiB',
  store: { ...ALL, capacity: 32 * MIB },
  disk: 'btrfs',
  longest: 30,
})
describeModel('loop', {
  stores: 'default=loop:?capacity=16MiB',
  store: { ...ALL, capacity: 16 * MIB },
  on: ['loop', 'ext4'],
  longest: 200,
})

/** One thing to do, and maybe to be killed after so much of the longest time. */
interface Step {
  readonly act: Act
  readonly killAt: number | undefined
}

function describeModel(
  name: string,
  { stores, store, disk, on = [], longest }: Kind,
): void {
  describe(`Volumes of a ${name} store that is killed again and again`, function () {
    needs('root', ...on)
    this.timeout(30_000 + SEQUENCES * 60_000)
    const filesystem = disk && useLoopFilesystem(disk)
    const home = useTempDir(filesystem && (() => filesystem.path))
    let running: VolumeProcess | undefined
    let acts = 0
    let kills = 0
    const kill = async (): Promise<void> => {
      await running?.kill()
      running = undefined
    }
    afterEach(kill)

    const alive = async (dataRoot: string): Promise<VolumeProcess> => {
      running ??= await VolumeProcess.start(dataRoot, stores)
      return running
    }

    const look = async (dataRoot: string): Promise<Seen> => {
      const seen = await (await alive(dataRoot)).ask({ do: 'show' })
      expect(seen, JSON.stringify(seen)).to.have.property('volumes')
      return comparable(seen as Seen)
    }

    /** Whichever of `models` it is that can be seen. */
    const recognised = async (
      dataRoot: string,
      models: readonly Model[],
      act: Act,
    ): Promise<Model> => {
      const seen = JSON.stringify(await look(dataRoot))
      const found = models.find(
        (model) => JSON.stringify(sorted(seenOf(model))) === sortedText(seen),
      )
      if (found !== undefined) return found
      throw new Error(
        `After ${JSON.stringify(act)} there is ${sortedText(seen)}, and not ${models.map((model) => JSON.stringify(sorted(seenOf(model)))).join(' or ')}`,
      )
    }

    const step = async (
      dataRoot: string,
      model: Model,
      { act, killAt }: Step,
    ): Promise<Model> => {
      const child = await alive(dataRoot)
      const asked = child.ask(act)
      acts++
      if (killAt !== undefined) {
        kills++
        await Promise.race([asked, sleep(killAt * longest)])
        await kill()
      }
      const answer = await asked
      if (answer === undefined) {
        return recognised(dataRoot, between(model, act, store), act)
      }
      const expected = after(model, act, store)
      if (typeof expected === 'string') {
        expect(answer, JSON.stringify(act)).to.include({ kind: expected })
        return model
      }
      expect(answer, JSON.stringify(act)).to.equal(null)
      return killAt === undefined
        ? expected
        : recognised(dataRoot, [expected], act)
    }

    it(`agree with a model after each of ${SEQUENCES} sequences, and outside nothing changes`, async () => {
      const precious = join(home.path, 'precious')
      await fs.writeFile(precious, 'precious')
      let nth = 0
      await fc.assert(
        fc.asyncProperty(
          fc.array(steps, { minLength: 10, maxLength: 30 }),
          async (sequence) => {
            const dataRoot = join(home.path, `root-${nth++}`)
            await layOut(`${dataRoot}-adopted`, EMPTY.directories)
            let model = EMPTY
            for (const each of sequence) {
              if (isBeyond(model, each.act)) continue
              model = await step(dataRoot, model, each)
            }
            await recognised(dataRoot, [model], { do: 'show' })
            await kill()
            await recognised(dataRoot, [model], { do: 'show' })
            await kill()
            expect(await fs.readFile(precious, 'utf8')).to.equal('precious')
          },
        ),
        { numRuns: SEQUENCES, endOnFailure: true },
      )
      tell(
        `Model, ${name}`,
        `${nth} sequences, ${acts} acts, ${kills} kills in their midst, all as the model says`,
      )
    })
  })
}

async function layOut(path: string, directories: Directories): Promise<void> {
  for (const [directory, files] of Object.entries(directories)) {
    await fs.mkdir(join(path, directory), { recursive: true })
    for (const [name, content] of Object.entries(files)) {
      await fs.writeFile(join(path, directory, name), content)
    }
  }
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return value
  }
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  )
}

function sortedText(json: string): string {
  return JSON.stringify(sorted(JSON.parse(json)))
}

const volume = fc.constantFrom('a', 'b', 'c')
const snapshot = fc.constantFrom('s', 't')
const text = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme-ascii' })
const source = fc.oneof(
  volume,
  fc.tuple(volume, snapshot).map((names) => names.join('@')),
)

const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('create' as const),
      volume,
      options: fc.constant({}),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('write' as const, 'label' as const),
      volume,
      text,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('remove' as const, 'restore' as const),
      volume,
    }),
  },
  fc.record({ do: fc.constant('empty' as const) }),
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('adopt' as const),
      volume,
      directory: fc.constantFrom(...Object.keys(EMPTY.directories)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('release' as const), volume }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'snapshot' as const,
        'snapshot' as const,
        'rollback' as const,
        'forget' as const,
      ),
      volume,
      snapshot,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('clone' as const), source, volume }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('rename' as const),
      volume,
      to: fc.constantFrom('a', 'b', 'c', 'd'),
    }),
  },
  fc.record({
    do: fc.constant('protect' as const),
    volume,
    on: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('resize' as const),
    volume,
    capacity: fc.constantFrom(16 * MIB, 32 * MIB, 64 * MIB),
  }),
)

const steps: fc.Arbitrary<Step> = fc.record({
  act: acts,
  killAt: fc.option(
    fc.noBias(fc.nat(1000)).map((part) => part / 1000),
    {
      nil: undefined,
      freq: 2,
    },
  ),
})
