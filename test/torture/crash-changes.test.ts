import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { JobView } from '../../src/admin/contract/job-endpoints.ts'
import type { SnapshotView } from '../../src/admin/contract/snapshot-endpoints.ts'
import type { TrashEntryView } from '../../src/admin/contract/trash-endpoints.ts'
import type { VolumeView } from '../../src/admin/contract/volume-endpoints.ts'
import type { Capability } from '../../src/conformance/capabilities.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { askAdmin } from '../support/admin.ts'
import type { DaemonProcess } from '../support/daemon-process.ts'
import type { FilesystemKind } from '../support/loop-filesystem.ts'
import {
  contentOf,
  describeCrashes,
  type Operation,
  type Picture,
} from './crash-campaign.ts'

const run = promisify(execFile)

interface Kind {
  readonly kind: string
  readonly parameters?: string
  readonly disk?: FilesystemKind
  readonly capabilities?: readonly Capability[]
  readonly adopts?: boolean
  /** Whether its volumes can have another capacity. */
  readonly resizes?: boolean
  /** Whether a snapshot may be taken of what is held. */
  readonly freezes?: boolean
}

const KINDS: readonly Kind[] = [
  { kind: 'local', adopts: true },
  {
    kind: 'btrfs',
    disk: 'btrfs',
    parameters: 'capacity=32MiB',
    resizes: true,
    freezes: true,
  },
  {
    kind: 'loop',
    disk: 'xfs',
    parameters: 'capacity=4MiB',
    capabilities: ['loop', 'ext4'],
    resizes: true,
    freezes: true,
  },
]

type Task = (daemon: DaemonProcess) => Promise<unknown>

/** Does one thing after the other. */
function all(...tasks: readonly Task[]): Task {
  return async (daemon) => {
    for (const task of tasks) await task(daemon)
  }
}

const ready = new WeakSet<DaemonProcess>()

/** Waits until the stores were read, before which names are all that is known. */
async function becomesReady(daemon: DaemonProcess): Promise<void> {
  if (ready.has(daemon)) return
  await daemon.logged('Serving')
  for (;;) {
    const { status } = await askAdmin(daemon.adminSocketPath, 'GET /ready')
    if (status === 200) break
    await sleep(5)
  }
  ready.add(daemon)
}

/** Asks for what must be done. */
async function ask(
  daemon: DaemonProcess,
  operation: string,
  body?: unknown,
): Promise<unknown> {
  await becomesReady(daemon)
  const { status, text } = await askAdmin(
    daemon.adminSocketPath,
    operation,
    body,
  )
  if (status >= 300) throw new Error(`${operation}: ${status} ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}

function asking(operation: string, body?: unknown): Task {
  return (daemon) => ask(daemon, operation, body)
}

function calling(method: string, fields: object): Task {
  return ({ docker }) => docker.call(`VolumeDriver.${method}`, { ...fields })
}

/** Writes into a volume that is there. */
function marking(Name: string, mark: string): Task {
  return async ({ docker }) => {
    const holder = { Name, ID: 'writer' }
    const { Mountpoint: path } = await docker.call('VolumeDriver.Mount', holder)
    const file = await fs.open(join(String(path), 'mark'), 'w')
    await file.writeFile(mark)
    await file.sync()
    await file.close()
    await docker.call('VolumeDriver.Unmount', holder)
  }
}

const creating = (Name: string): Task => calling('Create', { Name, Opts: {} })
const one = all(creating('one'), marking('one', 'first'))
const held = all(one, calling('Mount', { Name: 'one', ID: 'somebody' }))
const snapshotted = all(
  one,
  asking('POST /volumes/one/snapshots', { name: 's' }),
  marking('one', 'second'),
)
const removed = all(snapshotted, asking('DELETE /volumes/one'))
const removedByDocker = all(held, calling('Remove', { Name: 'one' }))

/** A directory of somebody else's, beside the data root. */
const foreign = (daemon: DaemonProcess): string =>
  join(dirname(daemon.dataRoot), 'foreign')

const adopt: Task = (daemon) =>
  ask(daemon, 'POST /volumes/adopt', { name: 'one', path: foreign(daemon) })

/** The last that was removed, and what is done to it. */
function toRemoved(operation: string, body?: unknown): Task {
  return async (daemon) => {
    const entry = (await trashOf(daemon)).at(-1)
    await ask(daemon, operation.replace('{id}', entry?.id ?? ''), body)
  }
}

/** Answers when the job has ended that the answer tells of. */
function cloning(from: object): Task {
  return async (daemon) => {
    const body = { to: 'two', ...from }
    let job = (await ask(daemon, 'POST /volumes/one/clone', body)) as JobView
    while (job.state === 'running') {
      await sleep(5)
      job = (await ask(daemon, `GET /jobs/${job.id}`)) as JobView
    }
    if (job.state !== 'done') throw new Error(JSON.stringify(job.error))
  }
}

/** The present is saved first, and then exchanged. */
const savedOnly = (before: Picture): readonly Picture[] => {
  const { volumes } = before as unknown as Seen
  const now = volumes.one!
  const snapshots = { ...now.snapshots, [SAVED]: now.files.mark ?? '' }
  return [
    {
      ...before,
      volumes: { ...volumes, one: { ...now, snapshots } },
    },
  ]
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  snapshot: {
    prepare: one,
    act: asking('POST /volumes/one/snapshots', { name: 's' }),
  },
  'delete a snapshot': {
    prepare: snapshotted,
    act: asking('DELETE /volumes/one/snapshots/s'),
  },
  'roll back': {
    prepare: snapshotted,
    act: asking('POST /volumes/one/snapshots/s/rollback'),
    between: savedOnly,
  },
  clone: { prepare: one, act: cloning({}) },
  'clone a snapshot': { prepare: snapshotted, act: cloning({ snapshot: 's' }) },
  rename: {
    prepare: snapshotted,
    act: asking('POST /volumes/one/rename', { to: 'two' }),
  },
  label: {
    prepare: one,
    act: asking('PATCH /volumes/one', { options: { 'label.is': 'new' } }),
  },
  protect: {
    prepare: one,
    act: asking('PUT /volumes/one/protection', { isProtected: true }),
  },
  remove: { prepare: snapshotted, act: asking('DELETE /volumes/one') },
  'remove for Docker what is held': {
    prepare: held,
    act: calling('Remove', { Name: 'one' }),
    // It is let go of first.
    between: (before) => [withoutHolders(before)],
  },
  restore: { prepare: removed, act: toRemoved('POST /trash/{id}/restore', {}) },
  'restore by another name': {
    prepare: removed,
    act: toRemoved('POST /trash/{id}/restore', { name: 'two' }),
  },
  'restore what was held': {
    prepare: removedByDocker,
    act: toRemoved('POST /trash/{id}/restore', {}),
  },
  'delete from the trash': {
    prepare: removed,
    act: toRemoved('DELETE /trash/{id}'),
  },
  'empty the trash': {
    prepare: all(removed, one, asking('DELETE /volumes/one')),
    act: asking('DELETE /trash'),
    between: (before) => [{ ...before, trash: ['one'] }],
  },
  import: {
    act: asking(
      'PUT /volumes/one/archive',
      forgeTar(
        { name: 'mark', content: 'imported' },
        { name: 'folder', type: '5' },
      ),
    ),
  },
  export: { prepare: one, act: exporting },
  'add a store': {
    act: (daemon) =>
      ask(daemon, 'POST /stores', { spec: `more=local:${moreOf(daemon)}` }),
  },
  'remove a store': {
    prepare: (daemon) =>
      ask(daemon, 'POST /stores', { spec: `more=local:${moreOf(daemon)}` }),
    act: asking('DELETE /stores/more'),
  },
  schedule: {
    act: asking('PUT /schedules/nightly', {
      volumes: ['kept'],
      cron: '0 3 1 1 *',
      keep: '4h',
    }),
  },
}

const ADOPTING: Readonly<Record<string, Operation>> = {
  adopt: { act: adopt },
  'release what was adopted': {
    prepare: adopt,
    act: asking('POST /volumes/one/release'),
  },
}

const RESIZING: Readonly<Record<string, Operation>> = {
  grow: {
    prepare: one,
    act: asking('POST /volumes/one/resize', { capacity: '40MiB' }),
  },
  shrink: {
    prepare: all(
      one,
      asking('POST /volumes/one/resize', { capacity: '40MiB' }),
    ),
    act: asking('POST /volumes/one/resize', { capacity: '36MiB' }),
  },
  'grow what is held': {
    prepare: held,
    act: asking('POST /volumes/one/resize', { capacity: '40MiB' }),
  },
}

const FREEZING: Readonly<Record<string, Operation>> = {
  'snapshot what is held': {
    prepare: held,
    act: asking('POST /volumes/one/snapshots', { name: 's' }),
  },
}

for (const kind of KINDS) {
  describeCrashes({
    name: `${kind.kind}, administered`,
    settings: {
      STOWAGE_IMPLEMENTS: 'volume',
      STOWAGE_STORES: `default=${kind.kind}:?${kind.parameters ?? ''}`,
    },
    ...(kind.disk && { disk: kind.disk }),
    ...(kind.capabilities && { capabilities: kind.capabilities }),
    operations: {
      ...OPERATIONS,
      ...(kind.adopts && ADOPTING),
      ...(kind.resizes && RESIZING),
      ...(kind.freezes && FREEZING),
    },
    async begin(daemon) {
      await fs.mkdir(foreign(daemon))
      await fs.writeFile(join(foreign(daemon), 'mark'), 'foreign')
      await creating('kept')(daemon)
      await marking('kept', 'kept')(daemon)
      await ask(daemon, 'POST /volumes/kept/snapshots', { name: 'old' })
      await calling('Mount', { Name: 'kept', ID: 'somebody' })(daemon)
    },
    picture,
    clear,
  })
}

async function exporting(daemon: DaemonProcess): Promise<void> {
  await becomesReady(daemon)
  await askAdmin(daemon.adminSocketPath, 'GET /volumes/one/archive')
}

/** Where a store is that is added. */
function moreOf(daemon: DaemonProcess): string {
  return join(dirname(daemon.dataRoot), 'more')
}

/** Rollbacks name what they save after the time. */
const SAVED = 'what was saved'

interface SeenVolume {
  readonly holders: readonly unknown[]
  readonly snapshots: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, string>>
}

interface Seen {
  readonly volumes: Readonly<Record<string, SeenVolume>>
  readonly mounts: readonly string[]
}

/** The picture with nobody holding `one`, mounted or not. */
function withoutHolders(before: Picture): Picture {
  const { volumes, mounts } = before as unknown as Seen
  const { one: present, ...others } = volumes
  return {
    ...before,
    volumes: { one: { ...present, holders: [] }, ...others },
    mounts: mounts.filter((path) => !path.includes('/one/')),
  }
}

async function trashOf(daemon: DaemonProcess): Promise<TrashEntryView[]> {
  return (await ask(daemon, 'GET /trash')) as TrashEntryView[]
}

/** All that an administrator can see, but for times and random names. */
async function picture(daemon: DaemonProcess): Promise<Picture> {
  await becomesReady(daemon)
  const mounts = (await mountsBelow(daemon.dataRoot)).map((path) =>
    relative(daemon.dataRoot, path),
  )
  const volumes: Record<string, object> = {}
  for (const view of (await ask(daemon, 'GET /volumes')) as VolumeView[]) {
    volumes[view.name] = await look(daemon, view)
  }
  const trash = (await trashOf(daemon)).map(({ volume, holders }) =>
    [volume, ...holders].join(' held by '),
  )
  const stores = (await ask(daemon, 'GET /stores')) as { name: string }[]
  const schedules = (await ask(daemon, 'GET /schedules')) as { name: string }[]
  return {
    volumes,
    mounts: mounts.toSorted(),
    trash,
    stores: stores.map(({ name }) => name),
    schedules: schedules.map(({ name }) => name),
    foreign: await contentOf(foreign(daemon)),
  }
}

async function look(
  daemon: DaemonProcess,
  { name: Name, ...view }: VolumeView,
): Promise<object> {
  const { labels, options, holders, capacity, isProtected, problem } = view
  const looking = { Name, ID: 'look' }
  const { Mountpoint: path } = await daemon.docker.call(
    'VolumeDriver.Mount',
    looking,
  )
  const files = await contentOf(String(path))
  await daemon.docker.call('VolumeDriver.Unmount', looking)
  const snapshots: Record<string, string> = {}
  const listed = view.isAdopted
    ? []
    : ((await ask(daemon, `GET /volumes/${Name}/snapshots`)) as SnapshotView[])
  for (const { name } of listed) {
    const shown = name.startsWith('before-rollback-') ? SAVED : name
    snapshots[shown] = await markIn(daemon, Name, name)
  }
  const told = { labels, options, holders, capacity, isProtected, problem }
  return { ...told, files, snapshots }
}

/** What a snapshot has of the volume's file, read where the store keeps it. */
async function markIn(
  { dataRoot }: DaemonProcess,
  volume: string,
  snapshot: string,
): Promise<string> {
  const path = join(
    dataRoot,
    'volumes/default/volumes',
    volume,
    'snapshots',
    snapshot,
  )
  if (!(await fs.readdir(path)).includes('image.ext4')) {
    return fs.readFile(join(path, 'data/mark'), 'utf8')
  }
  const image = join(path, 'image.ext4')
  const { stdout } = await run('debugfs', ['-R', 'cat /mark', image])
  return stdout
}

async function clear(daemon: DaemonProcess): Promise<void> {
  for (const view of (await ask(daemon, 'GET /volumes')) as VolumeView[]) {
    const { name, isAdopted, isProtected } = view
    if (name === 'kept') continue
    if (isProtected) {
      const body = { isProtected: false }
      await ask(daemon, `PUT /volumes/${name}/protection`, body)
    }
    if (isAdopted) await ask(daemon, `POST /volumes/${name}/release`)
    else await calling('Remove', { Name: name })(daemon)
  }
  await ask(daemon, 'DELETE /trash')
  for (const path of ['stores/more', 'schedules/nightly']) {
    const { status } = await askAdmin(daemon.adminSocketPath, `DELETE /${path}`)
    if (status >= 300 && status !== 404) throw new Error(`${path}: ${status}`)
  }
}
