import * as fs from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import type { Capability } from '../../src/conformance/capabilities.ts'
import type { DaemonProcess } from '../support/daemon-process.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'
import type { FilesystemKind } from '../support/loop-filesystem.ts'
import {
  contentOf,
  describeCrashes,
  type Operation,
  type Picture,
} from './crash-campaign.ts'

interface Kind {
  readonly driver: string
  readonly disk?: FilesystemKind
  readonly capabilities?: readonly Capability[]
}

const KINDS: readonly Kind[] = [
  { driver: 'overlay', capabilities: ['overlay'] },
  { driver: 'vfs' },
  { driver: 'btrfs', disk: 'btrfs' },
]

/** The names of all layers that there ever are, parents first. */
const IDS = ['kept', 'one', 'two', 'three']

type Task = (daemon: DaemonProcess) => Promise<unknown>

function all(...tasks: readonly Task[]) {
  return async (daemon: DaemonProcess): Promise<void> => {
    for (const task of tasks) await task(daemon)
  }
}

function call(daemon: DaemonProcess, method: string, fields: object = {}) {
  return daemon.docker.call(`GraphDriver.${method}`, { ...fields })
}

function calling(method: string, ID: string, Parent = ''): Task {
  return (daemon) => call(daemon, method, { ID, Parent })
}

/** What Docker does with each layer of an image that it pulls. */
function applying(id: string, parent = ''): Task {
  const tar = forgeTar(
    { name: `of-${id}`, content: id.repeat(5000) },
    { name: 'changed', content: id },
    { name: 'folder', type: '5' },
    { name: 'folder/file', content: 'deep' },
    { name: 'link', type: '1', linkName: 'changed' },
    ...(parent === '' ? [] : [{ name: `.wh.of-${parent}` }]),
  )
  return ({ docker }) => docker.applyDiff(id, parent, tar)
}

function filled(id: string, parent = ''): Task {
  return all(calling('Create', id, parent), applying(id, parent))
}

const one = filled('one')
const two = all(one, filled('two', 'one'))
const three = all(two, filled('three', 'two'))
const heldTwo = all(two, calling('Get', 'two'))

/** A layer whose tar has not come to its end is as good as absent. */
const withoutOne = (before: Picture): readonly Picture[] => [
  { ...before, one: 'absent' },
]
const withoutTwo = (before: Picture): readonly Picture[] => [
  { ...before, two: 'absent' },
]

/** Whatever is found mounted is taken to be held, until Docker removes it. */
const alsoMounted = (before: Picture): readonly Picture[] => {
  const { mounts } = before as { mounts: readonly string[] }
  return [['one'], ['two'], ['one', 'two']].map((more) => ({
    ...before,
    mounts: [...mounts, ...more.map((id) => `home/mnt/${id}`)].toSorted(),
  }))
}

/** Unmounted, and not yet gone. */
const notMounted = (before: Picture): readonly Picture[] => {
  const { mounts } = before as { mounts: readonly string[] }
  const left = mounts.filter((path) => !path.endsWith('two'))
  return [{ ...before, mounts: left }]
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  create: { act: calling('Create', 'one') },
  'create on another': {
    prepare: all(one),
    act: calling('Create', 'two', 'one'),
  },
  'create for a container': {
    prepare: all(one),
    act: calling('CreateReadWrite', 'two', 'one'),
  },
  apply: {
    prepare: all(calling('Create', 'one')),
    act: applying('one'),
    between: withoutOne,
  },
  'apply on another': {
    prepare: all(one, calling('Create', 'two', 'one')),
    act: applying('two', 'one'),
    between: withoutTwo,
  },
  'apply to what is held': {
    prepare: all(one, calling('Create', 'two', 'one'), calling('Get', 'two')),
    act: applying('two', 'one'),
    between: withoutTwo,
  },
  get: { prepare: two, act: calling('Get', 'two') },
  'get again': { prepare: heldTwo, act: calling('Get', 'two') },
  put: { prepare: heldTwo, act: calling('Put', 'two') },
  'put one of two': {
    prepare: all(heldTwo, calling('Get', 'two')),
    act: calling('Put', 'two'),
  },
  'tell the difference': {
    prepare: two,
    act: async ({ docker }) => {
      const tar = await docker.diff({ ID: 'two', Parent: 'one' })
      for await (const chunk of tar) void chunk
    },
    between: alsoMounted,
  },
  'tell the changes': {
    prepare: two,
    act: calling('Changes', 'two', 'one'),
    between: alsoMounted,
  },
  'remove the topmost': { prepare: two, act: calling('Remove', 'two') },
  'remove the lowest': { prepare: one, act: calling('Remove', 'one') },
  'remove what is held': {
    prepare: heldTwo,
    act: calling('Remove', 'two'),
    between: notMounted,
  },
  'remove what another stands on': {
    prepare: two,
    act: calling('Remove', 'one'),
  },
  'remove the last that stood on removed ones': {
    prepare: all(three, calling('Remove', 'two'), calling('Remove', 'one')),
    act: calling('Remove', 'three'),
  },
  'let go of everything': {
    prepare: heldTwo,
    act: (daemon) => call(daemon, 'Cleanup'),
    between: notMounted,
  },
}

for (const { driver, disk, capabilities } of KINDS) {
  describeCrashes({
    name: `layers on ${driver}`,
    settings: { STOWAGE_IMPLEMENTS: 'graph', STOWAGE_GRAPH_DRIVER: driver },
    ...(disk && { disk }),
    ...(capabilities && { capabilities }),
    operations: OPERATIONS,
    async begin(daemon) {
      const Home = join(dirname(daemon.dataRoot), 'home')
      await call(daemon, 'Init', { Home })
      await filled('kept')(daemon)
    },
    picture,
    async clear(daemon) {
      for (const id of IDS.slice(1).toReversed()) {
        await calling('Remove', id)(daemon)
      }
    },
  })
}

/** All layers with their files, and what is mounted. */
async function picture(daemon: DaemonProcess): Promise<Picture> {
  const place = dirname(daemon.dataRoot)
  const home = join(place, 'home')
  const mounts = (await mountsBelow(home)).map((path) => relative(place, path))
  const layers: Record<string, unknown> = {}
  for (const id of IDS) layers[id] = await look(daemon, id)
  return { ...layers, mounts: mounts.toSorted() }
}

async function look(daemon: DaemonProcess, id: string): Promise<unknown> {
  const { Exists: exists } = await call(daemon, 'Exists', { ID: id })
  if (exists !== true) return 'absent'
  const { Dir: directory } = await call(daemon, 'Get', { ID: id })
  const found = await contentOf(String(directory))
  const deep = await fs
    .readFile(join(String(directory), 'folder/file'), 'utf8')
    .catch(() => 'none')
  await call(daemon, 'Put', { ID: id })
  return { ...found, 'folder/file': deep }
}
