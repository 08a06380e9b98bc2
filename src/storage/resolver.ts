/** Someone because of whom an element must stay. */
export interface Owner {
  /**
   * What the owner is known by here: the id that Docker mounts with, or the id of
   * a layer. The name of a container is not known here; who may ask Docker adds it.
   */
  readonly id: string
  /** How many times the owner holds the element. */
  readonly holds: number
}

/** Tells where elements are, and because of whom they stay. */
export interface Resolver {
  /**
   * The self link of the element `id`, see `formatRef`.
   *
   * @throws NotFoundError when `id` is no element of this store.
   */
  locate(id: string): Promise<string>

  /**
   * Who holds the element that `link` names, in the order of their ids. An empty
   * answer means that nobody does, never that nobody could tell.
   *
   * @throws InvalidArgumentError when `link` does not name an element of this store.
   * @throws NotFoundError when there is no such element.
   * @throws NotSupportedError when the store cannot tell.
   */
  owners(link: string): Promise<readonly Owner[]>
}
