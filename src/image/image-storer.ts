import type { ImageStore } from './image-store.ts'

/** How an image store is deleted. */
export interface DeleteStoreOptions {
  /** Deletes the images in it as well. */
  readonly force?: boolean | undefined
}

/**
 * Image stores: each a tree of images of its own, found by its name.
 *
 * A store appears whole, with its `SCRATCH`, or not at all. One that is damaged is
 * reported and can be repaired; it is never wiped to make room.
 */
export interface ImageStorer {
  /**
   * @throws ImageStoreExistsError when the name is taken.
   * @throws InvalidArgumentError when `name` is not a valid one.
   */
  createImageStore(name: string): Promise<ImageStore>

  /**
   * @throws ImageStoreNotFoundError when there is none.
   * @throws DamagedImageError when it must be repaired first.
   */
  getImageStore(name: string): Promise<ImageStore>

  /** The self links of all stores, sorted, damaged ones too. */
  listImageStores(): Promise<readonly string[]>

  /**
   * @throws ImageStoreNotFoundError when there is none.
   * @throws ImageStoreInUseError when it has images and `force` is not set, or any of
   *   them is held.
   */
  deleteImageStore(name: string, options?: DeleteStoreOptions): Promise<void>

  /**
   * Gives a store back what every store has. Its images stay as they are.
   *
   * @throws ImageStoreNotFoundError when there is none.
   */
  repairImageStore(name: string): Promise<ImageStore>
}
