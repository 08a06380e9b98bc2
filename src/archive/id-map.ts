import { InvalidArgumentError } from '../base/errors.ts'

/** A range of ids in a user namespace and the host's ids behind it. */
export interface IdRange {
  readonly containerId: number
  readonly hostId: number
  readonly size: number
}

/** The ranges of one kind of id. None at all means that nothing is mapped. */
export type IdMap = readonly IdRange[]

/** How the owners of files in a user namespace map to the host's. */
export interface IdMaps {
  readonly uids: IdMap
  readonly gids: IdMap
}

/** Owners are what they are. */
export const NO_ID_MAPS: IdMaps = { uids: [], gids: [] }

/** @throws InvalidArgumentError when no range has `id`. */
export function toHost(id: number, map: IdMap): number {
  if (map.length === 0) return id
  for (const { containerId, hostId, size } of map) {
    if (id >= containerId && id < containerId + size) {
      return hostId + (id - containerId)
    }
  }
  throw new InvalidArgumentError(
    `Container ID ${id} cannot be mapped to a host ID: no range of the user namespace has it`,
  )
}

/** @throws InvalidArgumentError when no range has `id`. */
export function toContainer(id: number, map: IdMap): number {
  if (map.length === 0) return id
  for (const { containerId, hostId, size } of map) {
    if (id >= hostId && id < hostId + size) return containerId + (id - hostId)
  }
  throw new InvalidArgumentError(
    `Host ID ${id} cannot be mapped to a container ID: no range of the user namespace has it`,
  )
}
