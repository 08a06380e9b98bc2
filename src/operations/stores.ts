import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import {
  AlreadyExistsError,
  InUseError,
  InvalidArgumentError,
  isErrno,
  messageOf,
  UnavailableError,
} from '../base/errors.ts'
import { KeyedMutex } from '../base/keyed-mutex.ts'
import type { Log } from '../base/log.ts'
import { writeFileAtomic } from '../state/atomic-file.ts'
import type { StoreStatus } from '../volume/attached-store.ts'
import { VolumeStoreNotFoundError } from '../volume/volume-errors.ts'
import type { VolumeLookupCache } from '../volume/volume-lookup-cache.ts'
import {
  parseStoreSpecs,
  storeDirectory,
  storeSource,
  type VolumeStoreSpec,
} from '../volume/volume-stores.ts'
import { refuseHiddenStore } from './hidden-store.ts'

/** Beneath the data root: the stores that were added, as they were written. */
const FILE = 'stores.json'

/** A store, how it is, and who says that there is one. */
export interface KnownStore extends StoreStatus {
  readonly path: string
  readonly origin: 'settings' | 'added'
}

export interface StoresOptions {
  readonly dataRoot: string
  /** What the settings name. */
  readonly configured: readonly VolumeStoreSpec[]
  /** What was added before, as `readAddedStores` has it. */
  readonly added: readonly AddedStore[]
  readonly volumes: VolumeLookupCache
  /** Where stores must be for Docker to see them; anywhere by default. */
  readonly visible?: string | undefined
  readonly log: Log
}

/** A store that was added while the daemon ran, and what was typed for it. */
export interface AddedStore {
  readonly text: string
  readonly spec: VolumeStoreSpec
}

/**
 * The stores that were added beneath `dataRoot`.
 *
 * @throws InvalidArgumentError when the settings name one of them too: which of the
 *   two is meant would be a guess.
 */
export async function readAddedStores(
  dataRoot: string,
  configured: readonly VolumeStoreSpec[],
): Promise<readonly AddedStore[]> {
  const path = join(dataRoot, FILE)
  const added = (await readTexts(path)).map(parsed)
  for (const { spec } of added) {
    if (!configured.some(({ name }) => name === spec.name)) continue
    throw new InvalidArgumentError(
      `Volume store "${spec.name}" is in STOWAGE_STORES and was added too: take it out of the setting, or out of "${path}"`,
    )
  }
  return added
}

/** The volume stores, of which some come and go while the daemon runs. */
export class Stores {
  readonly #options: StoresOptions
  readonly #turns = new KeyedMutex()
  #added: readonly AddedStore[]

  constructor(options: StoresOptions) {
    this.#options = options
    this.#added = options.added
  }

  list(): readonly KnownStore[] {
    return this.#options.volumes.stores().map((status) => this.#known(status))
  }

  /** @throws VolumeStoreNotFoundError */
  get(name: string): KnownStore {
    const all = this.list()
    const store = all.find((one) => one.name === name)
    if (store !== undefined) return store
    throw new VolumeStoreNotFoundError(
      name,
      all.map((one) => one.name),
    )
  }

  /**
   * Adds the store that `text` describes, for good.
   *
   * @throws InvalidArgumentError for what describes no store, or a hidden one.
   * @throws AlreadyExistsError when there is one of that name.
   * @throws UnavailableError when it cannot be opened, which leaves nothing of it.
   */
  async add(text: string): Promise<KnownStore> {
    const added = parsed(text)
    const { name } = added.spec
    const { visible } = this.#options
    if (visible !== undefined) refuseHiddenStore(added.spec, visible)
    return this.#turns.run('stores', async () => {
      const { volumes, dataRoot, log } = this.#options
      if (volumes.stores().some((store) => store.name === name)) {
        throw new AlreadyExistsError(`Volume store "${name}" already exists`)
      }
      await volumes.addStore(storeSource(added.spec, { dataRoot, log }))
      try {
        await volumes.opened()
        const { state, reason } = this.#statusOf(name)
        if (state === 'offline') {
          throw new UnavailableError(
            `Volume store "${name}" cannot be opened: ${reason}`,
          )
        }
        await this.#write([...this.#added, added])
      } catch (error) {
        await volumes.removeStore(name)
        throw error
      }
      return this.get(name)
    })
  }

  /** Reads the store anew: volumes may have come and gone by other hands. */
  async check(name: string): Promise<KnownStore> {
    this.get(name)
    await this.#options.volumes.refresh(name)
    return this.get(name)
  }

  /**
   * Lets go of a store that was added. What it keeps stays on its disk.
   *
   * @throws InUseError when the settings name it, or any of its volumes is held.
   */
  async remove(name: string): Promise<void> {
    await this.#turns.run('stores', async () => {
      const { origin } = this.get(name)
      if (origin === 'settings') {
        throw new InUseError(
          `Volume store "${name}" is named by STOWAGE_STORES: take it out there, and restart`,
        )
      }
      await this.#options.volumes.removeStore(name)
      await this.#write(this.#added.filter(({ spec }) => spec.name !== name))
    })
  }

  async #write(added: readonly AddedStore[]): Promise<void> {
    const stores = added.map(({ text }) => text)
    const path = join(this.#options.dataRoot, FILE)
    const json = JSON.stringify({ format: 1, stores }, undefined, 2)
    await writeFileAtomic(path, `${json}\n`)
    this.#added = added
  }

  #known(status: StoreStatus): KnownStore {
    const { configured, dataRoot } = this.#options
    const added = this.#added.map(({ spec }) => spec)
    const find = (
      all: readonly VolumeStoreSpec[],
    ): VolumeStoreSpec | undefined =>
      all.find(({ name }) => name === status.name)
    const spec = find(configured) ?? find(added)
    return {
      ...status,
      path: spec === undefined ? '' : storeDirectory(spec, dataRoot),
      origin: find(configured) === undefined ? 'added' : 'settings',
    }
  }

  #statusOf(name: string): StoreStatus {
    const { volumes } = this.#options
    const status = volumes.stores().find((store) => store.name === name)
    if (status !== undefined) return status
    throw new VolumeStoreNotFoundError(name, [])
  }
}

function parsed(text: string): AddedStore {
  const [spec, ...others] = parseStoreSpecs(text)
  if (spec !== undefined && others.length === 0) return { text, spec }
  throw new InvalidArgumentError(
    `"${text}" describes more than one store: add them one by one`,
  )
}

async function readTexts(path: string): Promise<readonly string[]> {
  let text
  try {
    text = await fs.readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
  try {
    const { stores }: { readonly stores?: unknown } = Object(JSON.parse(text))
    if (isTexts(stores)) return stores
  } catch (error) {
    throw new InvalidArgumentError(
      `"${path}" is not JSON: ${messageOf(error)}`,
      { cause: error },
    )
  }
  throw new InvalidArgumentError(`"${path}" does not list stores`)
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}
