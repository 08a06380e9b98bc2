import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { command } from './command.ts'
import { type Kind, KINDS } from './contender.ts'
import { LAYER_GROUPS, layerScenarios } from './layers.ts'
import { whyNoPeer } from './peer.ts'
import { Samples } from './row.ts'
import { play, type Rounds } from './scenario.ts'
import { table } from './table.ts'

const RESULTS = join(import.meta.dirname, '../../bench/results')

const GROUPS: readonly string[] = [...LAYER_GROUPS]

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
  const { quick } = values
  await benchLayers(groups, quick, options)
}

async function benchLayers(
  groups: ReadonlySet<string>,
  quick: boolean,
  options: Rounds,
): Promise<void> {
  const lack = await whyNoPeer()
  if (lack !== undefined) {
    console.log(`Skipped: layers against dockerd's drivers: ${lack}`)
    return
  }
  const { ours, theirs } = options.kinds
  const title = `Layers: ${ours} against ${theirs}`
  const all = new Samples()
  for (const scenario of await layerScenarios({ groups, quick })) {
    const samples = new Samples()
    try {
      await play(scenario, samples, options)
    } catch (error) {
      console.log(`${scenario.title} failed:`, error)
      process.exitCode = 1
    }
    console.log(table(scenario.title, samples.results))
    all.add(samples)
  }
  const text = table(title, all.results)
  await fs.mkdir(RESULTS, { recursive: true })
  await fs.writeFile(join(RESULTS, `layers-${ours}-${theirs}.txt`), text)
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
