import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  build,
  directory,
  file,
  hardLink,
  type Portrait,
  portray,
  remove,
  symlink,
} from '../tree.ts'
import type { Bench } from './bench.ts'
import type { Check } from './check.ts'
import { succeeds } from './volume-checks.ts'

const area = 'layers'

/** Layers as Docker's layer store and containers see them. */
export const LAYER_CHECKS: readonly Check[] = [
  {
    area,
    title:
      'begins a layer as an empty directory of root that everybody may enter',
    weight: 'must',
    async run(bench) {
      await bench.within(await bench.layered(), async (tree) => {
        const { mode, uid } = await fs.stat(tree)
        const names = await fs.readdir(tree)
        if (names.length > 0) throw new Error(`It holds ${names.join(', ')}`)
        if ((mode & 0o7777) === 0o755 && uid === 0) return
        throw new Error(`Its mode is ${(mode & 0o7777).toString(8)} of ${uid}`)
      })
    },
  },
  {
    area,
    title: 'keeps modes, owners, links and times of what is in a layer',
    weight: 'must',
    async run(bench) {
      const id = await base(bench)
      const before = await look(bench, id)
      refuseOther(await look(bench, id), before)
      const { 'a subdir': subdir, 'a file': plain } = before
      if (subdir?.mode !== '1705' || subdir.owner !== '1:2') {
        throw new Error(`A directory became ${subdir?.mode} ${subdir?.owner}`)
      }
      if (plain?.mode !== '4222') throw new Error('A setuid bit was lost')
    },
  },
  {
    area,
    title: 'shows in a child exactly what its parent shows',
    weight: 'must',
    async run(bench) {
      const parent = await base(bench)
      const child = await bench.layered(parent)
      refuseOther(await look(bench, child), await look(bench, parent))
    },
  },
  {
    area,
    title: 'keeps what is done to a layer from its parent and its sibling',
    weight: 'must',
    async run(bench) {
      const parent = await base(bench)
      const before = await look(bench, parent)
      const child = await bench.layered(parent)
      const sibling = await bench.layered(parent)
      await bench.within(child, (tree) =>
        build(tree, file('a file', 'other'), file('new'), remove('a subdir')),
      )
      refuseOther(await look(bench, parent), before)
      refuseOther(await look(bench, sibling), before)
    },
  },
  {
    area,
    title: 'refuses a layer whose parent it does not have, and leaves nothing',
    weight: 'must',
    async run(bench) {
      const id = bench.name()
      if (await succeeds(bench.layered(bench.name(), id))) {
        throw new Error('Create succeeded')
      }
      const { Exists } = await bench.layer('Exists', id)
      if (Exists !== false && Exists !== undefined) {
        throw new Error('Exists says that it is there')
      }
    },
  },
  {
    area,
    title: 'knows which layers it has',
    weight: 'must',
    async run(bench) {
      const { Exists: absent } = await bench.layer('Exists', bench.name())
      if (absent === true) throw new Error('Exists says so of one that is not')
      const id = await bench.layered()
      const { Exists } = await bench.layer('Exists', id)
      if (Exists !== true) throw new Error(`Exists is ${String(Exists)}`)
    },
  },
  {
    area,
    title: 'refuses to show a layer that it does not have',
    weight: 'must',
    async run(bench) {
      await bench.refusal('GraphDriver.Get', { ID: bench.name() })
    },
  },
  {
    area,
    title:
      'gives one path for as long as a layer is held, and counts who holds it',
    weight: 'must',
    async run(bench) {
      const id = await bench.layered(await base(bench))
      const { Dir: first } = await bench.layer('Get', id)
      const { Dir: second } = await bench.layer('Get', id)
      if (first !== second) throw new Error(`It moved to "${String(second)}"`)
      await bench.layer('Put', id)
      const names = await fs.readdir(String(first)).catch(() => none)
      await bench.layer('Put', id)
      if (names.includes('a file')) return
      throw new Error('The first Put took it from the second holder')
    },
  },
  {
    area,
    title: 'takes a Put without a Get for done, and counts on',
    weight: 'must',
    async run(bench) {
      const id = await bench.layered(await base(bench))
      await bench.layer('Put', id)
      await bench.within(id, (tree) => fs.readFile(join(tree, 'a file')))
    },
  },
  {
    area,
    title: 'removes a layer, and takes the removal of what is gone for done',
    weight: 'must',
    async run(bench) {
      const id = await base(bench)
      await bench.layer('Remove', id)
      const { Exists } = await bench.layer('Exists', id)
      if (Exists === true) throw new Error('Exists says that it is there')
      await bench.layer('Remove', id)
    },
  },
  {
    area,
    title: 'removes a layer that is held: BuildKit never puts its views',
    weight: 'must',
    async run(bench) {
      const id = await bench.layered(await base(bench))
      await bench.layer('Get', id)
      await bench.layer('Remove', id)
      const { Exists } = await bench.layer('Exists', id)
      if (Exists === true) throw new Error('Exists says that it is there')
    },
  },
  {
    area,
    title: 'begins the id of a removed layer anew',
    weight: 'must',
    async run(bench) {
      const id = await base(bench)
      await bench.layer('Remove', id)
      await bench.layered('', id)
      const names = await bench.within(id, (tree) => fs.readdir(tree))
      if (names.length > 0) throw new Error(`It holds ${names.join(', ')}`)
    },
  },
  {
    area,
    title: 'refuses ids that lead elsewhere',
    weight: 'should',
    async run(bench) {
      for (const id of ['', '.', '..', '../x', 'a/b']) {
        if (!(await succeeds(bench.layer('Create', id)))) continue
        throw new Error(`It created ${JSON.stringify(id)}`)
      }
    },
  },
  {
    area,
    title: 'serves sixteen containers at once',
    weight: 'must',
    async run(bench) {
      const image = await base(bench)
      const containers = Array.from({ length: 16 }, async () => {
        const id = await bench.layered(image)
        await bench.within(id, (tree) => build(tree, file('mine', id)))
        const text = await bench.within(id, (tree) =>
          fs.readFile(join(tree, 'mine'), 'utf8'),
        )
        if (text !== id) throw new Error(`One reads what another wrote`)
        await bench.layer('Remove', id)
      })
      await Promise.all(containers)
    },
  },
  {
    area,
    title: 'reads through a stack of forty layers',
    weight: 'must',
    async run(bench) {
      let top = await base(bench)
      for (let height = 1; height <= 40; height++) {
        top = await bench.layered(top)
      }
      await bench.within(top, (tree) => fs.readFile(join(tree, 'a file')))
    },
  },
  {
    area,
    title:
      'tells its status in pairs of strings, and facts of a layer as strings',
    weight: 'must',
    async run(bench) {
      const { Status } = await bench.call('GraphDriver.Status')
      const isPairs = Array.isArray(Status) && Status.every(isPair)
      if (!isPairs) throw new Error(`Status is ${JSON.stringify(Status)}`)
      const id = await bench.layered()
      const { Metadata } = await bench.layer('GetMetadata', id)
      if (Object.values(Metadata ?? {}).every(isString)) return
      throw new Error(`Metadata is ${JSON.stringify(Metadata)}`)
    },
  },
  {
    area,
    title: 'has its layers after a restart, without another Init',
    weight: 'must',
    restarts: true,
    async run(bench) {
      const id = await bench.layered(await base(bench))
      const before = await look(bench, id)
      await bench.restart()
      refuseOther(await look(bench, id), before)
    },
  },
  {
    area,
    title: 'keeps a layer that a running container holds over a restart',
    weight: 'must',
    restarts: true,
    async run(bench) {
      const id = await bench.layered(await base(bench))
      const { Dir } = await bench.layer('Get', id)
      await bench.restart()
      await fs.readFile(join(String(Dir), 'a file'))
      const { Dir: again } = await bench.layer('Get', id)
      if (again !== Dir) throw new Error(`It moved to "${String(again)}"`)
      await bench.layer('Put', id)
      await fs.readFile(join(String(Dir), 'a file'))
      await bench.layer('Put', id)
    },
  },
]

const none: readonly string[] = []

/** A layer without a parent that has something of everything. */
export async function base(bench: Bench): Promise<string> {
  const id = await bench.layered()
  await bench.within(id, (tree) =>
    build(
      tree,
      directory('a subdir', { mode: 0o1705, uid: 1, gid: 2 }),
      file('a subdir/deep', 'deeper', { mtime: 1_234_567_890 }),
      file('a file', 'some', { mode: 0o4222 }),
      hardLink('a name more', 'a file'),
      symlink('a link', '/a file'),
    ),
  )
  return id
}

/** What a layer shows; its tar does not tell when its root was modified. */
export async function look(
  bench: Bench,
  id: string,
): Promise<Record<string, Portrait>> {
  const found = await bench.within(id, (tree) =>
    portray(tree, { wholeSeconds: true }),
  )
  const { '.': root, ...others } = found
  return root === undefined
    ? others
    : { ...others, '.': { ...root, mtime: 0n } }
}

export function refuseOther(
  found: Record<string, Portrait>,
  expected: Record<string, Portrait>,
): void {
  const names = new Set([...Object.keys(found), ...Object.keys(expected)])
  const others = [...names].filter(
    (name) => !isDeepStrictEqual(found[name], expected[name]),
  )
  if (others.length === 0) return
  throw new Error(`These are not as they should be: ${others.join(', ')}`)
}

function isPair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isString)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}
