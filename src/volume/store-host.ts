import { randomUUID } from 'node:crypto'
import { UnavailableError } from '../base/errors.ts'
import { inParts } from '../base/in-parts.ts'
import type { Log, LogFields } from '../base/log.ts'
import { serveProcess } from '../base/side-process.ts'
import { FolderStore } from './folder-store.ts'
import {
  keepingOf,
  type StoreKind,
  type StoreParameters,
} from './store-kinds.ts'
import type { StoreSnapshots } from './store-snapshots.ts'
import type { StoreTrash } from './store-trash.ts'
import type {
  VolumeCapabilities,
  VolumeListing,
  VolumeStorer,
} from './volume-storer.ts'
import type { Volume } from './volume.ts'

/** What a store is opened from. */
export interface StoreOpening {
  readonly name: string
  readonly kind: StoreKind
  readonly directory: string
  readonly parameters: StoreParameters
  readonly isKnown: boolean
}

/** A line for the log of the process that the store is hosted for. */
export interface LogNote {
  readonly level: 'error' | 'warn' | 'info' | 'debug'
  readonly message: string
  readonly fields: LogFields
}

/** A list of volumes that are still to be asked for, part by part. */
export interface BegunListing extends Omit<VolumeListing, 'volumes'> {
  readonly listing: string
}

/** A {@link VolumeStorer} in a process of its own, call by call. */
export type HostedCalls = Pick<
  VolumeStorer,
  | 'create'
  | 'get'
  | 'mount'
  | 'unmount'
  | 'amend'
  | 'usage'
  | 'room'
  | 'remove'
  | 'close'
> & {
  open(opening: StoreOpening): Promise<VolumeCapabilities>
  list(): Promise<BegunListing>
  /** The next volumes of a listing; none at its end. */
  listed(listing: string): Promise<readonly Volume[]>
  mounted: NonNullable<VolumeStorer['mounted']>
  resize: NonNullable<VolumeStorer['resize']>
  rename: NonNullable<VolumeStorer['rename']>
  snapshotCreate: StoreSnapshots['create']
  snapshotDelete: StoreSnapshots['delete']
  snapshotRollback: StoreSnapshots['rollback']
  snapshotShow: StoreSnapshots['show']
  snapshotHide: StoreSnapshots['hide']
  trashPut: StoreTrash['put']
  trashList: StoreTrash['list']
  trashRestore: StoreTrash['restore']
  trashDelete: StoreTrash['delete']
  trashUsage: StoreTrash['usage']
}

let store: FolderStore | undefined

const listings = new Map<string, Iterator<readonly Volume[], void>>()

const note = serveProcess({
  async open({ kind, parameters, ...opening }) {
    const keep = keepingOf(kind, parameters)
    store = await FolderStore.open({ ...opening, keep, log: notedLog({}) })
    return store.capabilities
  },
  create: (...values) => opened().create(...values),
  get: (name) => opened().get(name),
  async list() {
    const { volumes, ...rest } = await opened().list()
    const listing = randomUUID()
    listings.set(listing, inParts(volumes))
    return { listing, ...rest }
  },
  listed: async (listing) => nextOf(listing),
  mount: (name) => opened().mount(name),
  unmount: (name) => opened().unmount(name),
  mounted: (volumes) => opened().mounted(volumes),
  amend: (...values) => opened().amend(...values),
  usage: (name) => opened().usage(name),
  room: () => opened().room(),
  remove: (name) => opened().remove(name),
  close: () => opened().close(),
  resize: (...values) => opened().resize(...values),
  rename: (...values) => opened().rename(...values),
  snapshotCreate: (...values) => snapshots().create(...values),
  snapshotDelete: (...values) => snapshots().delete(...values),
  snapshotRollback: (...values) => snapshots().rollback(...values),
  snapshotShow: (...values) => snapshots().show(...values),
  snapshotHide: (...values) => snapshots().hide(...values),
  trashPut: (...values) => trash().put(...values),
  trashList: () => trash().list(),
  trashRestore: (...values) => trash().restore(...values),
  trashDelete: (id) => trash().delete(id),
  trashUsage: (id) => trash().usage(id),
} satisfies HostedCalls)

function opened(): FolderStore {
  if (store !== undefined) return store
  throw new Error('The store was not opened in this process')
}

function nextOf(listing: string): readonly Volume[] {
  const parts = listings.get(listing)
  if (parts === undefined) {
    throw new UnavailableError('Who began to list the store has ended')
  }
  const part = parts.next()
  if (part.done !== true) return part.value
  listings.delete(listing)
  return []
}

function trash(): StoreTrash {
  const there = opened().trash
  if (there !== undefined) return there
  throw new Error('The store in this process has no trash')
}

function snapshots(): StoreSnapshots {
  const there = opened().snapshots
  if (there !== undefined) return there
  throw new Error('The store in this process has no snapshots')
}

function notedLog(always: LogFields): Log {
  const told =
    (level: LogNote['level']) =>
    (message: string, fields: LogFields = {}): void =>
      note({ level, message, fields: { ...always, ...fields } })
  return {
    error: told('error'),
    warn: told('warn'),
    info: told('info'),
    debug: told('debug'),
    child: (fields) => notedLog({ ...always, ...fields }),
  }
}
