import type { Owner } from '../storage/resolver.ts'
import { ImageInUseError } from './image-errors.ts'
import { ImageReaders } from './image-readers.ts'
import type { ImageRecords } from './image-records.ts'
import type { Surroundings } from './surroundings.ts'

/**
 * Because of whom the images of a store stay: what lies on them is looked up on
 * disk, where another process would have written it.
 */
export class ImageOwners {
  readonly readers = new ImageReaders()
  /** What is being written now, and on what. */
  readonly writing = new Map<string, string>()
  readonly #records: ImageRecords
  readonly #holders: Surroundings['holders']

  constructor(records: ImageRecords, holders: Surroundings['holders']) {
    this.#records = records
    this.#holders = holders
  }

  async of(id: string): Promise<readonly Owner[]> {
    const children = await this.#records.childrenOf(id)
    return [
      ...children.map((image) => once(`image "${image}"`)),
      ...(await this.#othersOf(id)),
    ]
  }

  /** Who needs any image of the store, the images in it apart. */
  async all(): Promise<readonly Owner[]> {
    const { records } = await this.#records.list()
    const owners: Owner[] = []
    for (const id of records.keys()) owners.push(...(await this.#othersOf(id)))
    return owners
  }

  /** @throws ImageInUseError when there is any owner. */
  async refuseAny(id: string): Promise<void> {
    const names = (await this.of(id)).map((owner) => owner.id)
    if (names.length > 0) throw new ImageInUseError(id, names)
  }

  async #othersOf(id: string): Promise<readonly Owner[]> {
    const drafts = [...this.writing].filter(([, parent]) => parent === id)
    const layers = await this.#records.writableOn(id)
    const readers = this.readers.of(id)
    return [
      ...drafts.map(([image]) => once(`image "${image}", being written`)),
      ...layers.map((layer) => once(`writable layer "${layer}"`)),
      ...(readers > 0 ? [{ id: 'readers', holds: readers }] : []),
      ...(await this.#holders(this.#records.store, id)).map(once),
    ]
  }
}

function once(id: string): Owner {
  return { id, holds: 1 }
}
