import type { Readable } from 'node:stream'
import type { Exporter } from '../storage/exporter.ts'
import type { Importer } from '../storage/importer.ts'
import type { Resolver } from '../storage/resolver.ts'
import type { Image, Metadata } from './image.ts'

/** What an image is to be. */
export interface ImageDraft {
  readonly id: string
  /** The image to lie on, `SCRATCH` for a base image. */
  readonly parent: string
  /** The digest of the tar's bytes as they are given: `sha256:…`. */
  readonly digest: string
  readonly metadata?: Metadata | undefined
}

/** How an image is written. */
export interface WriteOptions {
  /** Aborted, leaves no trace of the image. */
  readonly signal?: AbortSignal | undefined
}

/** An image that is there, and not as it should be. */
export interface ImageProblem {
  readonly id: string
  readonly message: string
}

/** What there is. One bad image never hides the others. */
export interface ImageListing {
  readonly images: readonly Image[]
  /** The ids that were asked for and are not there. */
  readonly missing: readonly string[]
  readonly problems: readonly ImageProblem[]
}

/**
 * Images that lie on one another, all the way down to `SCRATCH`.
 *
 * An image is *sealed* from its first moment: it appears whole, or not at all, and
 * is never written again, so importing into one is refused. An id means one
 * content: writing it again with the same digest answers the image that is there,
 * and with another digest is an error.
 *
 * Calls for different images run at once. Calls for one image take turns, so
 * however many write it at the same time, it is written once.
 *
 * The disk is the truth: what lies on an image, and who holds it, is looked up
 * there when the image is deleted.
 *
 * To add an implementation: pass `describeImageStorer`.
 */
export interface ImageStore extends Importer, Exporter, Resolver {
  readonly name: string
  /** Its self link. */
  readonly link: string

  /**
   * Adds the image that `tar` makes of its parent. The tar may be plain, or
   * compressed by gzip or zstd. It is read to its very end, and the digest is over
   * all of it; where the image is there already it is not read at all.
   *
   * @throws NotFoundError when the parent is not there; the message names it.
   * @throws DigestMismatchError when the content, or the image of that id that is
   *   there already, has another digest than the draft.
   * @throws InvalidArgumentError for a name, a digest or a tar that is not valid,
   *   too many images on one another, or more bytes than the store may hold.
   */
  writeImage(
    draft: ImageDraft,
    tar: Readable,
    options?: WriteOptions,
  ): Promise<Image>

  /**
   * @throws ImageNotFoundError when there is none.
   * @throws DamagedImageError when there is one, and it cannot be used.
   */
  getImage(id: string): Promise<Image>

  /** The images with these ids, or all but `SCRATCH`, parents before children. */
  listImages(ids?: readonly string[]): Promise<ImageListing>

  /**
   * Deletes an image that nothing lies on. What is left of a damaged one is set
   * aside, not deleted.
   *
   * @throws ImageNotFoundError when there is none.
   * @throws ImageInUseError when images or writable layers lie on it, or it is
   *   being read; they are named.
   * @throws InvalidArgumentError for `SCRATCH`.
   */
  deleteImage(id: string): Promise<void>

  /** The bytes that one image holds of its own, or all images together. */
  usage(id?: string): Promise<number>
}
