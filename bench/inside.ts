import { createReadStream } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { applyLayer } from '../src/archive/layer-apply.ts'
import { layerChanges } from '../src/archive/layer-changes.ts'
import { layerDiff } from '../src/archive/layer-diff.ts'
import { command } from './command.ts'
import * as dataSets from './data-sets.ts'
import { Disk } from './disk.ts'
import type { Sample, Samples } from './row.ts'
import type { Rounds } from './scenario.ts'
import { seconds, takeTurns, type Turn } from './turns.ts'

/** One way to put a tar into a folder, get it out again, and walk through it. */
interface Engine {
  readonly name: string
  apply(tar: dataSets.LayerTar, tree: string): Promise<unknown>
  diff(tree: string): Promise<unknown>
  walk(tree: string): Promise<unknown>
}

const OURS: Engine = {
  name: 'ours',
  apply: (tar, tree) =>
    applyLayer(tree, createReadStream(tar, { highWaterMark: 128 * 1024 })),
  diff: async (tree) => drain(await layerDiff({ tree })),
  walk: (tree) => drain(layerChanges({ tree })),
}

const TOOLS: Engine = {
  name: 'tools',
  apply: (tar, tree) => command('tar', '-xf', tar, '-C', tree),
  diff: (tree) => shell('tar -cf - -C "$0" . | cat >/dev/null', tree),
  walk: (tree) => shell('find "$0" -printf "%s %T@ %p\\n" >/dev/null', tree),
}

/**
 * The archive engine by itself, without a daemon or a socket, beside GNU tar and
 * find, which come close to what the kernel allows.
 */
export async function benchInside(
  samples: Samples,
  { scratch, rounds }: Rounds,
): Promise<void> {
  await using disk = await Disk.make(scratch, 'inside', 'ext4')
  const sets = { small: await dataSets.small(), root: await dataSets.root() }
  const engines = { ours: OURS, theirs: TOOLS }
  await takeTurns(engines, rounds, samples, () =>
    Object.entries(sets).flatMap(([name, tar]) => turns(name, tar, disk.path)),
  )
}

function turns(
  name: string,
  tar: dataSets.LayerTar,
  directory: string,
): readonly Turn<Engine>[] {
  const treeOf = (engine: Engine): string => join(directory, engine.name)
  const measured = (
    job: string,
    work: (engine: Engine) => Promise<unknown>,
  ): Turn<Engine> => ({
    row: { name: `inside, ${job} ${name}` },
    async play(engine): Promise<Sample> {
      await command('sync', '--file-system', directory)
      return seconds(() => work(engine))
    },
  })
  const quietly = (
    work: (engine: Engine) => Promise<unknown>,
  ): Turn<Engine> => ({ play: (engine) => seconds(() => work(engine)) })
  return [
    quietly((engine) => fs.mkdir(treeOf(engine))),
    measured('apply', (engine) => engine.apply(tar, treeOf(engine))),
    measured('diff', (engine) => engine.diff(treeOf(engine))),
    measured('walk', (engine) => engine.walk(treeOf(engine))),
    quietly((engine) => fs.rm(treeOf(engine), { recursive: true })),
  ]
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _piece of stream);
}

function shell(script: string, path: string): Promise<string> {
  return command('sh', '-c', script, path)
}
