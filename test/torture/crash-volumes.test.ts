import * as fs from 'node:fs/promises'
import { join, relative } from 'node:path'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import type { Capability } from '../../src/conformance/capabilities.ts'
import type { DaemonProcess } from '../support/daemon-process.ts'
import type { FilesystemKind } from '../support/loop-filesystem.ts'
import {
  contentOf,
  describeCrashes,
  type Operation,
  type Picture,
} from './crash-campaign.ts'

interface Kind {
  readonly kind: string
  readonly parameters?: string
  readonly disk?: FilesystemKind
  readonly capabilities?: readonly Capability[]
  readonly clones?: boolean
}

const KINDS: readonly Kind[] = [
  { kind: 'local' },
  { kind: 'btrfs', disk: 'btrfs', clones: true },
  {
    kind: 'loop',
    disk: 'xfs',
    parameters: 'capacity=4MiB',
    capabilities: ['loop', 'ext4'],
    clones: true,
  },
  { kind: 'tmpfs' },
]

/** A volume with a file, that nobody holds. */
function makeFilled(Name: string, Opts: object = {}) {
  return async (daemon: DaemonProcess): Promise<void> => {
    await call(daemon, 'Create', { Name, Opts })
    const { Mountpoint: path } = await call(daemon, 'Mount', { Name, ID: 'f' })
    await fs.writeFile(join(String(path), 'mark'), Name)
    await call(daemon, 'Unmount', { Name, ID: 'f' })
  }
}

function call(daemon: DaemonProcess, method: string, fields: object) {
  return daemon.docker.call(`VolumeDriver.${method}`, { ...fields })
}

/** Does one thing after the other. */
function all(
  ...tasks: readonly ((daemon: DaemonProcess) => Promise<unknown>)[]
) {
  return async (daemon: DaemonProcess): Promise<void> => {
    for (const task of tasks) await task(daemon)
  }
}

function calling(method: string, fields: object) {
  return (daemon: DaemonProcess) => call(daemon, method, fields)
}

const ofOne = { Name: 'one', ID: 'first' }
const mountOne = calling('Mount', ofOne)
const filled = makeFilled('one')
const readOnly = makeFilled('one', { ro: '' })

/** It is mounted and unmounted in two parts, each of which may be all that was done. */
function halfShown(before: Picture): readonly Picture[] {
  const { kept } = before.volumes as Record<string, unknown>
  const { one } = before.volumes as Record<string, Shown>
  const others = (before.mounts as readonly string[]).filter(
    (path) => !path.includes('/one/'),
  )
  const data = 'volumes/default/volumes/one/data'
  return [0, 1].flatMap((holders) =>
    [others, [...others, data].toSorted()].map((mounts) => ({
      volumes: { kept, one: { ...one, holders } },
      mounts,
    })),
  )
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  create: { act: calling('Create', { Name: 'one', Opts: null }) },
  'create with options': {
    act: calling('Create', {
      Name: 'one',
      Opts: { ro: '', uid: '70', mode: '0750', 'label.a': 'b c' },
    }),
  },
  'create again': {
    prepare: filled,
    act: calling('Create', { Name: 'one', Opts: null }),
  },
  mount: { prepare: filled, act: mountOne },
  'mount, with its first owner': {
    prepare: calling('Create', { Name: 'one', Opts: { uid: '7' } }),
    act: mountOne,
  },
  'mount read-only': {
    prepare: readOnly,
    act: mountOne,
    between: halfShown,
  },
  'mount again': { prepare: all(readOnly, mountOne), act: mountOne },
  'mount for another': {
    prepare: all(readOnly, mountOne),
    act: calling('Mount', { Name: 'one', ID: 'second' }),
  },
  unmount: {
    prepare: all(filled, mountOne),
    act: calling('Unmount', ofOne),
  },
  'unmount read-only': {
    prepare: all(readOnly, mountOne),
    act: calling('Unmount', ofOne),
    between: halfShown,
  },
  'unmount one of two': {
    prepare: all(readOnly, mountOne, mountOne),
    act: calling('Unmount', ofOne),
  },
  remove: { prepare: filled, act: calling('Remove', ofOne) },
  'remove what is held': {
    prepare: all(readOnly, mountOne),
    act: calling('Remove', ofOne),
    between: halfShown,
  },
}

const CLONING: Operation = {
  prepare: filled,
  act: calling('Create', { Name: 'two', Opts: { from: 'one' } }),
}

for (const { kind, parameters = '', disk, capabilities, clones } of KINDS) {
  describeCrashes({
    name: kind,
    settings: {
      STOWAGE_IMPLEMENTS: 'volume',
      STOWAGE_STORES: `default=${kind}:?${parameters}`,
    },
    ...(disk && { disk }),
    ...(capabilities && { capabilities }),
    operations: {
      ...OPERATIONS,
      ...(clones && { 'create as a clone': CLONING }),
    },
    async begin(daemon) {
      await makeFilled('kept')(daemon)
      await call(daemon, 'Mount', { Name: 'kept', ID: 'somebody' })
    },
    picture,
    async clear(daemon) {
      for (const Name of (await volumesOf(daemon)).keys()) {
        if (Name !== 'kept') await call(daemon, 'Remove', { Name })
      }
    },
  })
}

interface Shown {
  readonly Mountpoint: string
  readonly Status: {
    readonly labels: Readonly<Record<string, string>>
    readonly options: Readonly<Record<string, string>>
    readonly holders: number
    readonly problem?: string
  }
}

/** All volumes, with their files and holders, and what is mounted. */
async function picture(daemon: DaemonProcess): Promise<Picture> {
  const volumes: Record<string, object> = {}
  const found = await volumesOf(daemon)
  // What was removed is let go of by and by.
  const mounts = (await mountsBelow(daemon.dataRoot))
    .map((path) => relative(daemon.dataRoot, path))
    .filter((path) => !path.includes('/rm-'))
  for (const [Name, { Status: status }] of found) {
    const { labels, options, holders, problem } = status
    const { Mountpoint: path } = await call(daemon, 'Mount', {
      Name,
      ID: 'look',
    })
    const { mode, uid } = await fs.stat(String(path))
    const files = await contentOf(String(path))
    await call(daemon, 'Unmount', { Name, ID: 'look' })
    volumes[Name] = { labels, options, holders, problem, mode, uid, files }
  }
  return { volumes, mounts: mounts.toSorted() }
}

async function volumesOf(
  daemon: DaemonProcess,
): Promise<ReadonlyMap<string, Shown>> {
  const { Volumes: listed } = await call(daemon, 'List', {})
  const names = (listed as readonly { Name: string }[]).map(({ Name }) => Name)
  const found = new Map<string, Shown>()
  for (const Name of names.toSorted()) {
    const { Volume } = await call(daemon, 'Get', { Name })
    // A name that was noted for what a kill cut short is listed until it is looked for.
    if (Volume !== null) found.set(Name, Volume as Shown)
  }
  return found
}
