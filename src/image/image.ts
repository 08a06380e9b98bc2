import { formatRef } from '../storage/storage-ref.ts'

/**
 * The image that everything in a store descends from: it holds nothing, has no
 * parent, and is there as long as its store.
 */
export const SCRATCH = 'scratch'

/** What somebody keeps with an image, such as its configuration as JSON. */
export type Metadata = Readonly<Record<string, string>>

/** What is written down of an image. */
export interface ImageFacts {
  readonly id: string
  /** The image this one lies on; only {@link SCRATCH} lies on none. */
  readonly parent: string | undefined
  /** Of the bytes as they came, compressed or not: `sha256:…`. */
  readonly digest: string
  /** Of the uncompressed layer tar: `sha256:…`. */
  readonly diffId: string
  /** The bytes that its own files hold. */
  readonly size: number
  /** How many images it lies on. */
  readonly depth: number
  readonly createdAt: string
  readonly metadata: Metadata
}

/**
 * One read-only layer and all it lies on. An id means one content: what an image
 * is never changes.
 */
export interface Image extends ImageFacts {
  readonly store: string
  readonly selfLink: string
  readonly parentLink: string | undefined
}

/** The image that `facts` tell of, in the store of that name. */
export function imageOf(store: string, facts: ImageFacts): Image {
  const { id, parent, digest, diffId, size, depth, createdAt } = facts
  const linkTo = (image: string): string =>
    formatRef({ kind: 'image', store, id: image })
  return Object.freeze({
    id,
    parent,
    digest,
    diffId,
    size,
    depth,
    createdAt,
    metadata: Object.freeze({ ...facts.metadata }),
    store,
    selfLink: linkTo(id),
    parentLink: parent === undefined ? undefined : linkTo(parent),
  })
}
