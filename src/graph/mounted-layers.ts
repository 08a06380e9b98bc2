import * as fs from 'node:fs/promises'
import { InvalidArgumentError, NotFoundError } from '../base/errors.ts'
import { KeyedMutex } from '../base/keyed-mutex.ts'
import type { MountSpec } from '../linux/mount.ts'
import { Holds } from '../state/holds.ts'
import {
  type ApplyPlace,
  type CreateOptions,
  type Hold,
  type LayerId,
  type ProtoDriver,
  type ReadableChanges,
  type StatusLine,
} from './driver.ts'
import type { Home } from './home.ts'
import type { LayerDriver } from './layer-driver.ts'

const MOUNTS = 'mnt'
const HOLDS = 'holds'

/** In the journal Docker is the only holder. */
const DOCKER = 'docker'

/**
 * Mounts the layers that a {@link LayerDriver} describes, and counts their holds.
 *
 * A layer is mounted at `<home>/mnt/<id>`, from its first hold to its last. A lone
 * writable bind is not mounted: its source is the mountpoint.
 *
 * Docker's holds are kept in a journal, for a restart that Docker is not told of;
 * holds of this process end with it. What is really mounted has the last word:
 * a layer found mounted has one holder at least, and one that should be mounted
 * and is not has none.
 */
export class MountedLayers implements ProtoDriver {
  readonly name: string
  readonly #layers: LayerDriver
  readonly #home: Home
  readonly #holds: Holds
  readonly #turns = new KeyedMutex()
  readonly #mounted: Set<LayerId>
  readonly #notes: readonly StatusLine[]
  /** Holds of this process, see {@link hold}. */
  readonly #own = new Map<LayerId, number>()
  /** Created by this process, and touched by nobody since. */
  readonly #pristine = new Map<LayerId, LayerId>()

  private constructor(
    layers: LayerDriver,
    home: Home,
    { holds, mounted, notes }: State,
  ) {
    this.name = layers.name
    this.#layers = layers
    this.#home = home
    this.#holds = holds
    this.#mounted = mounted
    this.#notes = notes
  }

  /**
   * Takes over what an earlier process mounted, as it is.
   *
   * @param notes What else `docker info` should show.
   */
  static async open(
    layers: LayerDriver,
    home: Home,
    notes: readonly StatusLine[] = [],
  ): Promise<MountedLayers> {
    await home.ensureDirectory(MOUNTS)
    const holds = await Holds.open(home.absolute(HOLDS))
    const mounted = await mountedIn(home, layers)
    for (const id of mounted) {
      if (holds.count(id) === 0) await holds.add(id, DOCKER)
    }
    for (const id of holds.keys()) {
      const isStale = !mounted.has(id) && (await isMountedToShow(layers, id))
      if (isStale) await holds.clear(id)
    }
    return new MountedLayers(layers, home, { holds, mounted, notes })
  }

  async create(
    id: LayerId,
    parent: LayerId,
    options: CreateOptions = {},
  ): Promise<void> {
    const [option] = Object.keys(options.storageOptions ?? {})
    if (option !== undefined) {
      throw new InvalidArgumentError(
        `Storage option "${option}" is for containers only, and layer "${id}" is an image's`,
      )
    }
    await this.createReadWrite(id, parent, options)
  }

  async createReadWrite(
    id: LayerId,
    parent: LayerId,
    options: CreateOptions = {},
  ): Promise<void> {
    await this.#turns.run(id, async () => {
      if (this.#pristine.get(id) === parent) return
      // A lower of one overlay must not be the upper of another.
      await this.#home.gone(`${MOUNTS}/${parent}`)
      await this.#layers.create(id, parent, options)
      this.#pristine.set(id, parent)
      this.#pristine.delete(parent)
    })
  }

  get(id: LayerId, mountLabel = ''): Promise<string> {
    return this.#turns.run(id, async () => {
      const mountpoint = await this.#show(id, mountLabel)
      await this.#holds.add(id, DOCKER)
      return mountpoint
    })
  }

  /** Writes and unmounts at once: should only one happen, the mount table tells. */
  async put(id: LayerId): Promise<void> {
    await this.#turns.run(id, async () => {
      const dropped = this.#holds.drop(id, DOCKER)
      await Promise.all([dropped, this.#unmountUnlessHeld(id)])
    })
  }

  hold(id: LayerId): Promise<Hold> {
    return this.#turns.run(id, async () => {
      const isWritten = await this.#isWritten(id)
      const mountpoint = await this.#show(id, '')
      this.#own.set(id, (this.#own.get(id) ?? 0) + 1)
      return {
        mountpoint,
        isWritten,
        [Symbol.asyncDispose]: () => this.#letGo(id),
      }
    })
  }

  async openForApply(id: LayerId): Promise<ApplyPlace> {
    const isNew = this.#pristine.delete(id)
    const isFree = !this.#isHeld(id) && !(await this.#isSealed(id))
    const place = isFree && (await this.#layers.openForApply?.(id, isNew))
    return place || this.hold(id)
  }

  async changesIn(
    id: LayerId,
    parent: LayerId,
  ): Promise<ReadableChanges | undefined> {
    const source = await this.#layers.changesIn?.(id, parent)
    if (source === undefined) return undefined
    return { source, isWritten: await this.#isWritten(id) }
  }

  /** Whether anyone holds any layer. */
  isHeld(): boolean {
    return this.#holds.keys().length > 0 || this.#own.size > 0
  }

  async remove(id: LayerId): Promise<void> {
    await this.#turns.run(id, async () => {
      this.#pristine.delete(id)
      await this.#holds.clear(id)
      if (this.#mounted.has(id)) await this.#unmount(id)
      await this.#layers.remove(id)
    })
  }

  exists(id: LayerId): Promise<boolean> {
    return this.#layers.exists(id)
  }

  async status(): Promise<readonly StatusLine[]> {
    return [...this.#notes, ...(await this.#layers.status())]
  }

  async metadata(id: LayerId): Promise<Readonly<Record<string, string>>> {
    const metadata = await this.#layers.metadata(id)
    const specs = await this.#layers.mounts(id)
    const mountpoint = isLoneBind(specs) ? specs[0].source : `${MOUNTS}/${id}`
    return { ...metadata, MergedDir: this.#home.absolute(mountpoint) }
  }

  async cleanup(): Promise<void> {
    for (const id of new Set([...this.#holds.keys(), ...this.#mounted])) {
      await this.#turns.run(id, async () => {
        await this.#holds.clear(id)
        if (this.#mounted.has(id)) await this.#unmount(id)
      })
    }
    // Docker binds things into what it holds, also where nothing of ours is.
    await this.#home.detachAll()
    await this.#layers.settled()
  }

  /** Leaves everything mounted, for the process that comes next. */
  async close(): Promise<void> {
    await this.#layers.close()
    await this.#holds.close()
  }

  /** Sees to it that the layer can be seen, and answers where. */
  async #show(id: LayerId, mountLabel: string): Promise<string> {
    this.#pristine.delete(id)
    const specs = await this.#layers.mounts(id)
    const target = `${MOUNTS}/${id}`
    // A layer that was sealed while held stays where its holders see it.
    if (!this.#mounted.has(id) && (isLoneBind(specs) || this.#isHeld(id))) {
      return this.#home.absolute(specs[0]?.source ?? target)
    }
    if (await this.#home.mount(labelled(specs, mountLabel), target)) {
      // Somebody else unmounted it: whoever held it holds it no more.
      if (this.#mounted.has(id)) await this.#holds.clear(id)
      this.#mounted.add(id)
    }
    return this.#home.absolute(target)
  }

  /** Whether Docker holds a layer that is not sealed. */
  async #isWritten(id: LayerId): Promise<boolean> {
    return this.#holds.count(id) > 0 && !(await this.#isSealed(id))
  }

  async #isSealed(id: LayerId): Promise<boolean> {
    const specs = await this.#layers.mounts(id)
    return specs.some(({ options }) => options.includes('ro'))
  }

  async #letGo(id: LayerId): Promise<void> {
    await this.#turns.run(id, async () => {
      const left = (this.#own.get(id) ?? 0) - 1
      if (left > 0) this.#own.set(id, left)
      else this.#own.delete(id)
      await this.#unmountUnlessHeld(id)
    })
  }

  async #unmountUnlessHeld(id: LayerId): Promise<void> {
    if (this.#mounted.has(id) && !this.#isHeld(id)) await this.#unmount(id)
  }

  async #unmount(id: LayerId): Promise<void> {
    await this.#home.unmount(`${MOUNTS}/${id}`)
    this.#mounted.delete(id)
  }

  #isHeld(id: LayerId): boolean {
    return this.#holds.count(id) > 0 || this.#own.has(id)
  }
}

interface State {
  readonly holds: Holds
  readonly mounted: Set<LayerId>
  readonly notes: readonly StatusLine[]
}

/** The layers that are mounted now; whatever else is in `mnt` is cleared away. */
async function mountedIn(
  home: Home,
  layers: LayerDriver,
): Promise<Set<LayerId>> {
  const mountpoints = new Set(await home.mountpoints())
  const mounted = new Set<LayerId>()
  for (const id of await fs.readdir(home.absolute(MOUNTS))) {
    const target = `${MOUNTS}/${id}`
    const isMounted = mountpoints.has(home.absolute(target))
    if (isMounted && (await layers.exists(id))) mounted.add(id)
    else await home.unmount(target)
  }
  return mounted
}

async function isMountedToShow(
  layers: LayerDriver,
  id: LayerId,
): Promise<boolean> {
  try {
    return !isLoneBind(await layers.mounts(id))
  } catch (error) {
    if (error instanceof NotFoundError) return true
    throw error
  }
}

/** Whether the source of `specs` shows all that mounting them would show. */
function isLoneBind(
  specs: readonly MountSpec[],
): specs is readonly [MountSpec] {
  const [spec, ...others] = specs
  return (
    spec?.type === 'bind' && !spec.options.includes('ro') && others.length === 0
  )
}

/** A label can be given to a filesystem, and to no bind of one. */
function labelled(
  specs: readonly MountSpec[],
  label: string,
): readonly MountSpec[] {
  if (label === '') return specs
  return specs.map((spec) =>
    spec.type === 'bind'
      ? spec
      : { ...spec, options: [...spec.options, `context="${label}"`] },
  )
}
