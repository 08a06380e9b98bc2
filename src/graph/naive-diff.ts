import type { Readable } from 'node:stream'
import { sizeOfChanges } from '../archive/changes-size.ts'
import type { Change } from '../archive/changes.ts'
import { type IdMaps, NO_ID_MAPS } from '../archive/id-map.ts'
import { applyLayer } from '../archive/layer-apply.ts'
import { layerChanges } from '../archive/layer-changes.ts'
import { layerDiff } from '../archive/layer-diff.ts'
import { NotFoundError } from '../base/errors.ts'
import { type Log, SILENT } from '../base/log.ts'
import { ApplyMarks } from './apply-marks.ts'
import {
  type ApplyPlace,
  type CreateOptions,
  type Driver,
  type Hold,
  type LayerId,
  NO_PARENT,
  type ProtoDriver,
  type ReadableChanges,
  type StatusLine,
} from './driver.ts'
import { hold } from './hold.ts'

/** How changes are found, and where that is noted. */
export interface NaiveDiffOptions {
  /** A directory of its own, to remember which layers were applied to. */
  readonly marks: string
  readonly idMaps?: IdMaps
  readonly log?: Log
  /** Whether to compare mounted trees even where there is a shorter way. */
  readonly naive?: boolean | undefined
}

/**
 * Makes a {@link Driver} of any {@link ProtoDriver}: changes are what differs
 * between two mounted trees, unless the driver knows a shorter way to them.
 */
export class NaiveDiffDriver implements Driver {
  readonly name: string
  readonly #proto: ProtoDriver
  readonly #marks: ApplyMarks
  readonly #idMaps: IdMaps
  readonly #log: Log
  readonly #isNaive: boolean

  private constructor(
    proto: ProtoDriver,
    marks: ApplyMarks,
    { idMaps = NO_ID_MAPS, log = SILENT, naive = false }: NaiveDiffOptions,
  ) {
    this.name = proto.name
    this.#proto = proto
    this.#marks = marks
    this.#idMaps = idMaps
    this.#log = log
    this.#isNaive = naive
  }

  static async open(
    proto: ProtoDriver,
    options: NaiveDiffOptions,
  ): Promise<NaiveDiffDriver> {
    const marks = await ApplyMarks.open(options.marks)
    await marks.forgetUnless((id) => proto.exists(id))
    return new NaiveDiffDriver(proto, marks, options)
  }

  async create(
    id: LayerId,
    parent: LayerId,
    options?: CreateOptions,
  ): Promise<void> {
    this.#marks.check(parent)
    await this.#proto.create(id, parent, options)
  }

  async createReadWrite(
    id: LayerId,
    parent: LayerId,
    options?: CreateOptions,
  ): Promise<void> {
    this.#marks.check(parent)
    await this.#proto.createReadWrite(id, parent, options)
  }

  async get(id: LayerId, mountLabel?: string): Promise<string> {
    this.#marks.check(id)
    return this.#proto.get(id, mountLabel)
  }

  async put(id: LayerId): Promise<void> {
    await this.#proto.put(id)
  }

  async hold(id: LayerId): Promise<Hold> {
    this.#marks.check(id)
    return hold(this.#proto, id)
  }

  async remove(id: LayerId): Promise<void> {
    await this.#proto.remove(id)
    await this.#marks.forget(id)
  }

  async exists(id: LayerId): Promise<boolean> {
    return !this.#marks.isUnfinished(id) && this.#proto.exists(id)
  }

  status(): Promise<readonly StatusLine[]> {
    return this.#proto.status()
  }

  async metadata(id: LayerId): Promise<Readonly<Record<string, string>>> {
    this.#marks.check(id)
    return this.#proto.metadata(id)
  }

  async cleanup(): Promise<void> {
    await this.#proto.cleanup()
    await this.settle()
  }

  /** Waits until what was applied would outlive a power cut. */
  async settle(): Promise<void> {
    await this.#marks.settle()
  }

  async diff(id: LayerId, parent: LayerId): Promise<Readable> {
    const trees = await this.#compare(id, parent)
    return layerDiff(trees.source, {
      idMaps: this.#idMaps,
      writable: trees.isWritten,
      release: async () => trees[Symbol.asyncDispose](),
      onOmission: ({ path, reason }) => {
        this.#log.warn('Left out of a layer tar', {
          layer: id,
          path: String(path),
          reason,
        })
      },
    })
  }

  async *changes(id: LayerId, parent: LayerId): AsyncGenerator<Change, void> {
    await using trees = await this.#compare(id, parent)
    yield* layerChanges(trees.source)
  }

  async diffSize(id: LayerId, parent: LayerId): Promise<number> {
    await using trees = await this.#compare(id, parent)
    return await sizeOfChanges(trees.source)
  }

  async applyDiff(
    id: LayerId,
    _parent: LayerId,
    tar: Readable,
  ): Promise<number> {
    if (!(await this.#proto.exists(id))) {
      throw new NotFoundError(`Layer "${id}" does not exist`)
    }
    return await this.#marks.run(id, async () => {
      await using place = await this.#openForApply(id)
      const { mountpoint, lowers } = place
      return await applyLayer(mountpoint, tar, { lowers, idMaps: this.#idMaps })
    })
  }

  async #openForApply(id: LayerId): Promise<ApplyPlace> {
    if (this.#isNaive || this.#proto.openForApply === undefined) {
      return hold(this.#proto, id)
    }
    return this.#proto.openForApply(id)
  }

  /** Finds where the changes are, and keeps them readable until disposed of. */
  async #compare(id: LayerId, parent: LayerId): Promise<Comparison> {
    this.#marks.check(id)
    if (!this.#isNaive) {
      const changes = await this.#proto.changesIn?.(id, parent)
      if (changes !== undefined) {
        return { ...changes, [Symbol.asyncDispose]: async () => undefined }
      }
    }
    return await this.#holdBoth(id, parent)
  }

  async #holdBoth(id: LayerId, parent: LayerId): Promise<Comparison> {
    const upper = await this.hold(id)
    const { mountpoint: tree, isWritten } = upper
    if (parent === NO_PARENT) {
      const dispose = (): PromiseLike<void> => upper[Symbol.asyncDispose]()
      return { source: { tree }, isWritten, [Symbol.asyncDispose]: dispose }
    }
    try {
      const lower = await this.hold(parent)
      return {
        source: { tree, parent: lower.mountpoint },
        isWritten,
        async [Symbol.asyncDispose]() {
          await lower[Symbol.asyncDispose]()
          await upper[Symbol.asyncDispose]()
        },
      }
    } catch (error) {
      await upper[Symbol.asyncDispose]()
      throw error
    }
  }
}

/** Changes that stay readable while they are read. */
type Comparison = ReadableChanges & AsyncDisposable
