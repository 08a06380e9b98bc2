import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { command } from './command.ts'
import { type Kind, KINDS } from './contender.ts'
import { benchDocker } from './docker.ts'
import { type Choice, LAYER_GROUPS, layerScenarios } from './layers.ts'
import { whyNoPeer } from './peer.ts'
import { Samples } from './row.ts'
import { play, type Rounds } from './scenario.ts'
import { table } from './table.ts'
import { benchVolumes } from './volumes.ts'

const RESULTS = join(import.meta.dirname, '../../bench/results')

const GROUPS: readonly string[] = [...LAYER_GROUPS, 'volume', 'docker']

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      ours: { type: 'string', default: 'stowage' },
      theirs: { type: 'string', default: 'dockerd' },
    },
  })
  const unknown = positionals.find((group) => !GROUPS.includes(group))
  if (unknown !== undefined) {
    throw new Error(`"${unknown}" is none of ${GROUPS.join(', ')}`)
  }
  const groups = new Set(positionals.length > 0 ? positionals : GROUPS)
  const rounds = Number(values.rounds ?? (values.quick ? 3 : 5))

  await using scratch = await Scratch.make()
  const options: Rounds = {
    scratch: scratch.path,
    rounds,
    kinds: { ours: kind(values.ours), theirs: kind(values.theirs) },
  }
  if (LAYER_GROUPS.some((group) => groups.has(group))) {
    await benchLayers({ groups, quick: values.quick }, options)
  }
  if (groups.has('volume')) {
    await bench('volumes', 'Volumes, stowage-against-local', (samples) =>
      benchVolumes(samples, options),
    )
  }
  if (groups.has('docker')) {
    await bench(
      `docker-${sides(options)}`,
      `Docker, ${sides(options)}`,
      (samples) => benchDocker(samples, options),
    )
  }
}

async function benchLayers(choice: Choice, options: Rounds): Promise<void> {
  const lack = await whyNoPeer()
  if (lack !== undefined) {
    console.log(`Skipped: layers against dockerd's drivers: ${lack}`)
    return
  }
  const scenarios = await layerScenarios(choice)
  await bench(
    `layers-${sides(options)}`,
    `Layers, ${sides(options)}`,
    async (samples) => {
      for (const scenario of scenarios) {
        console.log(`${scenario.title} …`)
        await play(scenario, samples, options)
      }
    },
  )
}

/** Prints a table and keeps it, even if what fills it ends early. */
async function bench(
  name: string,
  title: string,
  fill: (samples: Samples) => Promise<void>,
): Promise<void> {
  const samples = new Samples()
  try {
    await fill(samples)
  } finally {
    const text = table(title, samples.results)
    console.log(text)
    await fs.mkdir(RESULTS, { recursive: true })
    await fs.writeFile(join(RESULTS, `${name}.txt`), text)
  }
}

function sides({ kinds }: Rounds): string {
  return `${kinds.ours}-against-${kinds.theirs}`
}

/** A folder on tmpfs, gone with this process and its mount namespace. */
class Scratch implements AsyncDisposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async make(): Promise<Scratch> {
    const path = await fs.mkdtemp(join(tmpdir(), 'stowage-bench-'))
    await command('mount', '-t', 'tmpfs', '-o', 'size=12g', 'bench', path)
    return new Scratch(path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await command('umount', '--recursive', '--lazy', this.path)
    await fs.rmdir(this.path)
  }
}

function kind(name: string): Kind {
  const found = KINDS.find((known) => known === name)
  if (found === undefined) {
    throw new Error(`"${name}" is none of ${KINDS.join(', ')}`)
  }
  return found
}

await main()
