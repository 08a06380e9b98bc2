import { withDeadline } from '../base/deadline.ts'
import { StowageError, UnavailableError } from '../base/errors.ts'
import { inParts } from '../base/in-parts.ts'
import type { Log } from '../base/log.ts'
import { SideProcess } from '../base/side-process.ts'
import { isServerGone } from '../linux/may-hang.ts'
import type { CopyOptions } from './copy-options.ts'
import type { HostedCalls, LogNote, StoreOpening } from './store-host.ts'
import type { StoreSnapshots } from './store-snapshots.ts'
import type { StoreTrash } from './store-trash.ts'
import {
  SnapshotExistsError,
  SnapshotNotFoundError,
  VolumeExistsError,
  VolumeNotFoundError,
  VolumeUnavailableError,
} from './volume-errors.ts'
import type { VolumeOptions } from './volume-options.ts'
import type {
  ResizedVolume,
  VolumeCapabilities,
  VolumeListing,
  VolumeStorer,
} from './volume-storer.ts'
import type { StoreRoom, VolumeUsage } from './volume-usage.ts'
import { frozenVolume, type Volume } from './volume.ts'

export interface StoreProcessOptions extends StoreOpening {
  readonly log: Log
}

/** Milliseconds to open the store in, and to close it. */
const TIME_TO_OPEN = 8000
const TIME_TO_CLOSE = 3000

const HOST = new URL('store-host.js', import.meta.url)

/** What takes as long as there is data. */
const LENGTHY = [
  'open',
  'create',
  'usage',
  'resize',
  'snapshotCreate',
  'snapshotRollback',
  'trashUsage',
]

/**
 * A store on a filesystem that may hang, kept by a process of its own: should it
 * hang, that process does, and nobody else.
 */
export class StoreProcess implements VolumeStorer {
  readonly name: string
  readonly kind: string
  readonly capabilities: VolumeCapabilities
  readonly trash?: StoreTrash
  readonly snapshots?: StoreSnapshots
  readonly #process: SideProcess<HostedCalls>
  readonly #opening: StoreOpening
  #reopening: Promise<unknown> | undefined

  private constructor(
    process: SideProcess<HostedCalls>,
    opening: StoreOpening,
    capabilities: VolumeCapabilities,
  ) {
    this.name = opening.name
    this.kind = opening.kind
    this.capabilities = capabilities
    this.#process = process
    this.#opening = opening
    if (capabilities.trash === true) this.trash = this.#hostedTrash()
    if (capabilities.snapshots === true) {
      this.snapshots = this.#hostedSnapshots()
    }
  }

  /** @throws UnavailableError when the store does not answer in time. */
  static async open({
    log,
    ...opening
  }: StoreProcessOptions): Promise<StoreProcess> {
    const what = `Volume store "${opening.name}"`
    const process = new SideProcess<HostedCalls>({
      module: HOST,
      what,
      lengthy: LENGTHY,
      classes: {
        VolumeExistsError,
        VolumeNotFoundError,
        VolumeUnavailableError,
        SnapshotExistsError,
        SnapshotNotFoundError,
      },
      onNote: (note) => relay(note, log),
    })
    try {
      const capabilities = await withDeadline(
        `Opening volume store "${opening.name}"`,
        TIME_TO_OPEN,
        process.call('open', opening),
      )
      return new StoreProcess(process, opening, capabilities)
    } catch (error) {
      process.abandon()
      throw error
    }
  }

  async create(
    name: string,
    options: VolumeOptions,
    copying?: CopyOptions,
  ): Promise<Volume> {
    return refrozen(await this.#ask('create', name, options, copying))
  }

  async get(name: string): Promise<Volume> {
    return refrozen(await this.#ask('get', name))
  }

  async list(): Promise<VolumeListing> {
    const { listing, ...rest } = await this.#ask('list')
    const volumes: Volume[] = []
    for (;;) {
      const part = await this.#ask('listed', listing)
      if (part.length === 0) return { volumes, ...rest }
      for (const volume of part) volumes.push(refrozen(volume))
    }
  }

  mount(name: string): Promise<string> {
    return this.#ask('mount', name)
  }

  unmount(name: string): Promise<void> {
    return this.#ask('unmount', name)
  }

  async mounted(
    volumes: readonly Volume[],
  ): Promise<ReadonlyMap<string, boolean>> {
    const all: (readonly [string, boolean])[] = []
    for (const part of inParts(volumes)) {
      all.push(...(await this.#ask('mounted', part)))
    }
    return new Map(all)
  }

  async amend(name: string, options: VolumeOptions): Promise<Volume> {
    return refrozen(await this.#ask('amend', name, options))
  }

  usage(name: string): Promise<VolumeUsage> {
    return this.#ask('usage', name)
  }

  room(): Promise<StoreRoom> {
    return this.#ask('room')
  }

  async resize(name: string, capacity: number): Promise<ResizedVolume> {
    const resized = await this.#ask('resize', name, capacity)
    return { ...resized, volume: refrozen(resized.volume) }
  }

  async rename(name: string, to: string): Promise<Volume> {
    return refrozen(await this.#ask('rename', name, to))
  }

  remove(name: string): Promise<void> {
    return this.#ask('remove', name)
  }

  async close(): Promise<void> {
    if (!this.#process.isRunning) return
    try {
      const closing = this.#process.call('close')
      await withDeadline('Closing a store', TIME_TO_CLOSE, closing)
    } catch (error) {
      // What hangs now is left behind, and whoever opens the store next waits.
      if (!(error instanceof StowageError)) throw error
    } finally {
      this.#process.abandon()
    }
  }

  #hostedTrash(): StoreTrash {
    return {
      put: (name, options) => this.#ask('trashPut', name, options),
      list: () => this.#ask('trashList'),
      restore: async (id, name) =>
        refrozen(await this.#ask('trashRestore', id, name)),
      delete: (id) => this.#ask('trashDelete', id),
      usage: (id) => this.#ask('trashUsage', id),
    }
  }

  #hostedSnapshots(): StoreSnapshots {
    return {
      create: async (name, ...values) =>
        refrozen(await this.#ask('snapshotCreate', name, ...values)),
      delete: async (name, snapshot) =>
        refrozen(await this.#ask('snapshotDelete', name, snapshot)),
      rollback: async (name, ...values) =>
        refrozen(await this.#ask('snapshotRollback', name, ...values)),
      show: (name, snapshot) => this.#ask('snapshotShow', name, snapshot),
      hide: (name, snapshot) => this.#ask('snapshotHide', name, snapshot),
    }
  }

  /**
   * A process that has ended starts anew. So does one whose files are gone: what it
   * has opened, such as the lock of the store, is of a filesystem that is no more.
   */
  async #ask<N extends keyof HostedCalls>(
    call: N,
    ...values: Parameters<HostedCalls[N]>
  ): Promise<Awaited<ReturnType<HostedCalls[N]>>> {
    try {
      if (!this.#process.isRunning) this.#reopening = this.#reopen()
      await this.#reopening
      return await this.#process.call(call, ...values)
    } catch (error) {
      if (!isServerGone(error)) throw error
      this.#process.abandon()
      throw new UnavailableError(
        `Volume store "${this.name}" has lost its files: "${this.#opening.directory}" is not served any more, mount it again`,
        { cause: error },
      )
    }
  }

  async #reopen(): Promise<void> {
    try {
      await this.#process.call('open', { ...this.#opening, isKnown: true })
    } catch (error) {
      this.#process.abandon()
      throw error
    } finally {
      this.#reopening = undefined
    }
  }
}

function refrozen({ options, ...volume }: Volume): Volume {
  const { labels, typed, ...rest } = options
  return frozenVolume({
    ...volume,
    snapshots: Object.freeze(volume.snapshots),
    options: Object.freeze({
      ...rest,
      labels: Object.freeze(labels),
      typed: Object.freeze(typed),
    }),
  })
}

function relay(note: unknown, log: Log): void {
  if (!isLogNote(note)) return
  log[note.level](note.message, note.fields)
}

function isLogNote(note: unknown): note is LogNote {
  return typeof note === 'object' && note !== null && 'level' in note
}
