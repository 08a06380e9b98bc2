import type { VolumeView } from '../admin/contract/volume-endpoints.ts'
import type { WhoUses } from '../docker/who-uses.ts'

/** Somebody who has to do with a volume. */
export interface User {
  /** A container's name, or a mount id that no container has. */
  readonly name: string
  /** A container's state; `holder` where it is not known whose hold it is. */
  readonly state: string
}

/** A volume as the daemon has it, with those whom Docker knows to use it. */
export interface UsedVolume extends VolumeView {
  readonly users: readonly User[]
}

/**
 * The containers made with a volume, and whoever else holds it: the daemon knows
 * holders by mount ids alone, and Docker knows whose those are.
 */
export function usersOf(
  { name, holders }: VolumeView,
  who: WhoUses,
): readonly User[] {
  const containers = who.usersOf(name)
  const known = new Set(containers.map((container) => container.name))
  const others = holders
    .map(({ id }) => who.holderName(id) ?? shortId(id))
    .filter((holder) => !known.has(holder))
  // Where Docker does not tell mount ids, a container's own hold is one of them.
  const strangers = known.size >= holders.length ? [] : others
  return [
    ...containers.map((container) => ({
      name: container.name,
      state: container.state,
    })),
    ...strangers.map((holder) => ({ name: holder, state: 'holder' })),
  ]
}

function shortId(id: string): string {
  return id.slice(0, 12)
}
