import type { ImageRecord } from './image-record.ts'

/** Somebody reads an image, until `leave`. */
export interface Visit {
  readonly record: ImageRecord
  /** Leaving again is harmless. */
  leave(): void
}

/** Who reads which image now. */
export class ImageReaders {
  readonly #visits = new Set<Visit>()

  enter(record: ImageRecord): Visit {
    const visit = { record, leave: () => void this.#visits.delete(visit) }
    this.#visits.add(visit)
    return visit
  }

  /** How many read the image `id`. */
  of(id: string): number {
    return [...this.#visits].filter(({ record }) => record.id === id).length
  }
}
