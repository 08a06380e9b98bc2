import { parseArgs } from 'node:util'
import { type Kind, KINDS } from './contender.ts'
import { benchDocker } from './docker.ts'
import { benchInside } from './inside.ts'
import { benchIsolation } from './isolation.ts'
import { LAYER_GROUPS, layerScenarios } from './layers.ts'
import { benchMemory } from './memory.ts'
import { whyNoPeer } from './peer.ts'
import { report } from './report.ts'
import { Samples } from './row.ts'
import { scaleScenarios } from './scale.ts'
import { playAll, type Rounds } from './scenario.ts'
import { Scratch } from './scratch.ts'
import { benchSnapshots } from './snapshots.ts'
import { benchStalls } from './stalls.ts'
import { benchVolumeCore } from './volume-core.ts'
import { benchVolumes } from './volumes.ts'

/** What fills one table. */
interface Bench {
  readonly name: string
  /** The words that ask for it; a bench may fill the rows of some only. */
  readonly groups: readonly string[]
  readonly needsPeer: boolean
  readonly run: (samples: Samples, options: Options) => Promise<void>
}

interface Options extends Rounds {
  readonly groups: ReadonlySet<string>
  /** Leaves out what takes long. */
  readonly quick: boolean
}

const BENCHES: readonly Bench[] = [
  {
    name: 'layers',
    groups: LAYER_GROUPS,
    needsPeer: true,
    run: async (samples, options) =>
      playAll(await layerScenarios(options), samples, options),
  },
  {
    name: 'scale',
    groups: ['scale'],
    needsPeer: true,
    run: async (samples, options) =>
      playAll(await scaleScenarios(), samples, options),
  },
  { name: 'inside', groups: ['inside'], needsPeer: false, run: benchInside },
  { name: 'memory', groups: ['memory'], needsPeer: true, run: benchMemory },
  { name: 'volumes', groups: ['volume'], needsPeer: false, run: benchVolumes },
  {
    name: 'volume-core',
    groups: ['volume'],
    needsPeer: false,
    run: benchVolumeCore,
  },
  {
    name: 'snapshots',
    groups: ['snapshot'],
    needsPeer: false,
    run: benchSnapshots,
  },
  { name: 'stalls', groups: ['stall'], needsPeer: false, run: benchStalls },
  {
    name: 'isolation',
    groups: ['isolation'],
    needsPeer: false,
    run: benchIsolation,
  },
  { name: 'docker', groups: ['docker'], needsPeer: false, run: benchDocker },
]

async function main(): Promise<void> {
  await using scratch = await Scratch.make()
  const options = optionsFrom(process.argv.slice(2), scratch)
  const lack = await whyNoPeer()
  for (const bench of BENCHES) {
    if (!bench.groups.some((group) => options.groups.has(group))) continue
    if (bench.needsPeer && lack !== undefined) {
      console.log(`Skipped: ${bench.name}: ${lack}`)
      continue
    }
    const samples = new Samples()
    try {
      await bench.run(samples, options)
    } finally {
      await report(tableName(bench.name, options), samples)
    }
  }
}

function optionsFrom(args: readonly string[], scratch: Scratch): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      ours: { type: 'string', default: 'stowage' },
      theirs: { type: 'string', default: 'dockerd' },
    },
  })
  const { quick } = values
  const known = BENCHES.flatMap(({ groups }) => groups)
  for (const group of positionals) refuseUnknown(group, known)
  return {
    scratch: scratch.path,
    rounds: Number(values.rounds ?? (quick ? 3 : 5)),
    kinds: { ours: kind(values.ours), theirs: kind(values.theirs) },
    groups: new Set(positionals.length > 0 ? positionals : known),
    quick,
  }
}

function kind(name: string): Kind {
  refuseUnknown(name, KINDS)
  return name as Kind
}

function refuseUnknown(name: string, known: readonly string[]): void {
  if (known.includes(name)) return
  throw new Error(`"${name}" is none of ${known.join(', ')}`)
}

/** Unusual contenders do not overwrite the table of the usual ones. */
function tableName(name: string, { kinds }: Options): string {
  const { ours, theirs } = kinds
  if (ours === 'stowage' && theirs === 'dockerd') return name
  return `${name}-${ours}-against-${theirs}`
}

await main()
