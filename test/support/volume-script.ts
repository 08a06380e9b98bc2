import { createInterface } from 'node:readline'
import * as fs from 'node:fs/promises'
import { basename, join } from 'node:path'
import { NotFoundError, StowageError } from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { TrashKeeper } from '../../src/operations/trash-keeper.ts'
import { USUAL_LIMITS } from '../../src/operations/trash-limits.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'
import type { Act, Directories, Seen } from './volume-model.ts'

// All volumes in a process of their own, to be killed at any moment:
// `volume-script.js DATA_ROOT STORES`. It does what each line of its input says in
// JSON, and answers each by a line: what `show` sees, null, or a failure's kind.
// The directories that may be adopted are those in `DATA_ROOT-adopted`.
process.umask(0o022)
const [, , dataRoot = '', stores = ''] = process.argv
const adoptable = `${dataRoot}-adopted`
const volumes = await VolumeLookupCache.open({
  dataRoot,
  stores: parseStoreSpecs(stores).map((spec) =>
    storeSource(spec, { dataRoot, log: SILENT }),
  ),
  log: SILENT,
})
await volumes.opened()
await releaseAll()
answer('ready')

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const result = await run(JSON.parse(line) as Act)
    answer(isSeen(result) ? result : null)
  } catch (error) {
    if (error instanceof StowageError) answer({ kind: error.kind })
    else answer({ kind: 'failure', message: String(error) })
  }
}

function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value ?? null)}\n`)
}

function isSeen(result: unknown): result is Seen {
  return typeof result === 'object' && result !== null && 'volumes' in result
}

/** Those who held volumes were of a process that is dead. */
async function releaseAll(): Promise<void> {
  for (const { name } of volumes.list()) {
    for (const [holder, times] of volumes.holders(name)) {
      for (let nth = 0; nth < times; nth++) await volumes.unmount(name, holder)
    }
  }
}

async function run(act: Act): Promise<unknown> {
  const { changes } = volumes
  if (act.do === 'show') return show()
  if (act.do === 'create') return volumes.create(act.volume, act.options)
  if (act.do === 'write') return write(act.volume, act.text)
  if (act.do === 'remove') return volumes.remove(act.volume)
  if (act.do === 'restore') return restore(act.volume)
  if (act.do === 'empty') return empty()
  if (act.do === 'adopt') {
    return volumes.adopt(act.volume, join(adoptable, act.directory))
  }
  if (act.do === 'release') return volumes.release(act.volume)
  if (act.do === 'protect') return volumes.protect(act.volume, act.on)
  if ('snapshot' in act) return ofSnapshot(act)
  if (act.do === 'clone') return changes.clone(act.source, act.volume)
  if (act.do === 'rename') return changes.rename(act.volume, act.to)
  if (act.do === 'resize') return changes.resize(act.volume, act.capacity)
  return changes.set(act.volume, { 'label.is': act.text })
}

async function ofSnapshot(
  act: Extract<Act, { readonly snapshot: string }>,
): Promise<unknown> {
  const { snapshots } = volumes
  const { volume, snapshot } = act
  if (act.do === 'snapshot') return snapshots.create(volume, { name: snapshot })
  if (act.do === 'forget') return snapshots.delete(volume, snapshot)
  return snapshots.rollback(volume, snapshot)
}

/** A file is whole at any time, so that only ours to lose is lost. */
async function write(volume: string, text: string): Promise<void> {
  await held(volume, async (path) => {
    const file = await fs.open(join(path, 'new'), 'w')
    await file.writeFile(text)
    await file.sync()
    await file.close()
    await fs.rename(join(path, 'new'), join(path, 'text'))
  })
}

async function held<T>(
  volume: string,
  task: (path: string) => Promise<T>,
): Promise<T> {
  const path = await volumes.mount(volume, 'script')
  try {
    return await task(path)
  } finally {
    await volumes.unmount(volume, 'script')
  }
}

/** The volume of that name that was removed last. */
async function restore(name: string): Promise<void> {
  const { volumes: removed } = await volumes.trash.list()
  const last = removed.findLast((volume) => volume.name === name)
  if (last === undefined) throw new NotFoundError(`${name} was not removed`)
  await volumes.trash.restore(last, name)
}

/** By whom the daemon has it done. */
async function empty(): Promise<void> {
  const limits = { ...USUAL_LIMITS, leaveFree: { percent: 0 } }
  const keeper = new TrashKeeper({ volumes, limits, log: SILENT })
  await keeper.empty()
  await keeper.close()
}

async function show(): Promise<Seen> {
  const seen: Record<string, Seen['volumes'][string]> = {}
  for (const { name, volume, problem } of volumes.list()) {
    if (volume === undefined) throw new Error(`${name}: ${problem}`)
    const snapshots: Record<string, string> = {}
    for (const snapshot of volume.snapshots) {
      await using shown = await volumes.snapshots.show(name, snapshot.name)
      snapshots[snapshot.name] = await textIn(shown.path)
    }
    seen[name] = {
      text: await held(name, textIn),
      adopted: basename(volume.options.path ?? ''),
      snapshots,
      capacity: volume.capacity ?? 0,
      label: volume.options.labels.is ?? '',
      isProtected: volume.options.protect,
    }
  }
  const { volumes: removed, troubles } = await volumes.trash.list()
  if (troubles.length > 0) throw new Error(JSON.stringify(troubles))
  return {
    volumes: seen,
    removed: removed.map(({ name }) => name),
    directories: await directories(),
  }
}

/** All files in what may be adopted, but for what a killed write has left. */
async function directories(): Promise<Directories> {
  const found: Record<string, Record<string, string>> = {}
  for (const directory of await fs.readdir(adoptable)) {
    const files: Record<string, string> = {}
    for (const name of await fs.readdir(join(adoptable, directory))) {
      if (name === 'new') continue
      files[name] = await fs.readFile(join(adoptable, directory, name), 'utf8')
    }
    found[directory] = files
  }
  return found
}

async function textIn(path: string): Promise<string> {
  try {
    return await fs.readFile(join(path, 'text'), 'utf8')
  } catch {
    return ''
  }
}
