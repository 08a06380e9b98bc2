import { KeyedMutex } from '../base/keyed-mutex.ts'
import type {
  CreateOptions,
  LayerId,
  ProtoDriver,
  StatusLine,
} from './driver.ts'

/**
 * An author's driver, with what every driver needs and none should write again:
 * calls for one layer take turns, and a create that Docker repeats succeeds while
 * nobody has touched the layer.
 */
export class QueuedDriver implements ProtoDriver {
  readonly name: string
  readonly #driver: ProtoDriver
  readonly #turns = new KeyedMutex()
  /** Created by this process, and touched by nobody since. */
  readonly #pristine = new Map<LayerId, LayerId>()
  /** How often each layer was got, and not put yet. */
  readonly #held = new Map<LayerId, number>()

  constructor(driver: ProtoDriver) {
    this.name = driver.name
    this.#driver = driver
  }

  /** Whether anyone is known to hold any layer. */
  isHeld(): boolean {
    return this.#held.size > 0
  }

  create(id: LayerId, parent: LayerId, options?: CreateOptions): Promise<void> {
    return this.#created(id, parent, () =>
      this.#driver.create(id, parent, options),
    )
  }

  createReadWrite(
    id: LayerId,
    parent: LayerId,
    options?: CreateOptions,
  ): Promise<void> {
    return this.#created(id, parent, () =>
      this.#driver.createReadWrite(id, parent, options),
    )
  }

  get(id: LayerId, mountLabel?: string): Promise<string> {
    return this.#turns.run(id, async () => {
      this.#pristine.delete(id)
      const mountpoint = await this.#driver.get(id, mountLabel)
      this.#held.set(id, (this.#held.get(id) ?? 0) + 1)
      return mountpoint
    })
  }

  put(id: LayerId): Promise<void> {
    return this.#turns.run(id, async () => {
      await this.#driver.put(id)
      const left = (this.#held.get(id) ?? 0) - 1
      if (left > 0) this.#held.set(id, left)
      else this.#held.delete(id)
    })
  }

  remove(id: LayerId): Promise<void> {
    return this.#turns.run(id, async () => {
      this.#pristine.delete(id)
      await this.#driver.remove(id)
      this.#held.delete(id)
    })
  }

  exists(id: LayerId): Promise<boolean> {
    return this.#driver.exists(id)
  }

  status(): Promise<readonly StatusLine[]> {
    return this.#driver.status()
  }

  metadata(id: LayerId): Promise<Readonly<Record<string, string>>> {
    return this.#driver.metadata(id)
  }

  async cleanup(): Promise<void> {
    await this.#driver.cleanup()
    this.#held.clear()
  }

  async #created(
    id: LayerId,
    parent: LayerId,
    create: () => Promise<void>,
  ): Promise<void> {
    await this.#turns.run(id, async () => {
      if (this.#pristine.get(id) === parent) return
      await create()
      this.#pristine.set(id, parent)
      this.#pristine.delete(parent)
    })
  }
}
