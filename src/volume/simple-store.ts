import type { VolumeCapabilities, VolumeStorer } from './volume-storer.ts'

/**
 * The least that a store must do: create, show and remove volumes, and know which
 * it has. Everything said of these methods in {@link VolumeStorer} holds here.
 * One whose mountpoints are always there has nothing to unmount, and one that keeps
 * nothing open has nothing to close.
 *
 * What a simple store leaves out is refused with a reason that people can read.
 * One that can do more implements `VolumeStorer` itself. `wholeStore` makes a
 * `VolumeStorer` of a simple store, and `serve` does that by itself.
 *
 * To add a store: implement this, pass `describeSimpleStore`, and give it to `serve`.
 */
export interface SimpleStore
  extends
    Pick<
      VolumeStorer,
      | 'name'
      | 'kind'
      | 'create'
      | 'get'
      | 'list'
      | 'mount'
      | 'mounted'
      | 'remove'
    >,
    Partial<Pick<VolumeStorer, 'unmount' | 'close'>> {
  /** What it can do of what can be done within these methods; nothing by default. */
  readonly capabilities?: Partial<SimpleCapabilities>
}

/** What needs no method of its own. */
export type SimpleCapabilities = Pick<
  VolumeCapabilities,
  'maxNameBytes' | 'capacity' | 'ownership' | 'ro' | 'path' | 'from'
>
