import type { Readable } from 'node:stream'
import type { Change } from '../archive/changes.ts'
import { type IdMaps, NO_ID_MAPS } from '../archive/id-map.ts'
import { NotSupportedError } from '../base/errors.ts'
import { ApplyMarks } from './apply-marks.ts'
import type {
  CreateOptions,
  Driver,
  Hold,
  LayerId,
  ProtoDriver,
  StatusLine,
} from './driver.ts'
import { hold } from './hold.ts'

export interface NaiveDiffOptions {
  /** A directory of its own, to remember which layers were applied to. */
  readonly marks: string
  readonly idMaps?: IdMaps
}

/**
 * Makes a {@link Driver} of any {@link ProtoDriver}: changes are what differs
 * between two mounted trees.
 */
export class NaiveDiffDriver implements Driver {
  readonly name: string
  readonly #proto: ProtoDriver
  readonly #marks: ApplyMarks
  readonly #idMaps: IdMaps

  private constructor(proto: ProtoDriver, marks: ApplyMarks, idMaps: IdMaps) {
    this.name = proto.name
    this.#proto = proto
    this.#marks = marks
    this.#idMaps = idMaps
  }

  static async open(
    proto: ProtoDriver,
    { marks: directory, idMaps = NO_ID_MAPS }: NaiveDiffOptions,
  ): Promise<NaiveDiffDriver> {
    const marks = await ApplyMarks.open(directory)
    await marks.forgetUnless((id) => proto.exists(id))
    return new NaiveDiffDriver(proto, marks, idMaps)
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
  }

  async diff(id: LayerId, parent: LayerId): Promise<Readable> {
    throw new NotSupportedError(`No diff of "${id}" against "${parent}" yet`)
  }

  changes(_id: LayerId, _parent: LayerId): AsyncIterable<Change> {
    throw new NotSupportedError(`No changes yet ${this.#idMaps.uids.length}`)
  }

  async applyDiff(
    id: LayerId,
    _parent: LayerId,
    _tar: Readable,
  ): Promise<number> {
    return this.#marks.run(id, async () => {
      throw new NotSupportedError('No apply yet')
    })
  }

  async diffSize(_id: LayerId, _parent: LayerId): Promise<number> {
    throw new NotSupportedError('No diff yet')
  }
}
