import { UnavailableError } from '../base/errors.ts'
import { mountIds } from './container-mounts.ts'
import type { DockerClient } from './docker-client.ts'

/** A container that a volume is part of. */
export interface VolumeUser {
  readonly id: string
  readonly name: string
  readonly state: string
}

/**
 * Who uses what, joined from what Docker knows: volumes with the containers that
 * were made with them, and mount ids and container ids with names.
 */
export interface WhoUses {
  /** Whether Docker answered. If not, nobody is known to use anything. */
  readonly isKnown: boolean
  /** The containers made with a volume, running or not. */
  usersOf(volume: string): readonly VolumeUser[]
  /** The name of the container that has mounted something by this id. */
  holderName(mountId: string): string | undefined
  containerName(containerId: string): string | undefined
}

/** Docker's own driver, whose volumes may have any name. */
const LOCAL = 'local'

export async function whoUses(docker: DockerClient): Promise<WhoUses> {
  try {
    const [{ rootDirectory }, containers] = await Promise.all([
      docker.info(),
      docker.containers(),
    ])
    const ids = await mountIds(rootDirectory)
    const holders = new Map(
      ids.map(({ mountId, containerName }) => [mountId, containerName]),
    )
    const names = new Map(containers.map(({ id, name }) => [id, name]))
    return {
      isKnown: true,
      usersOf: (volume) =>
        containers.filter(({ mounts }) =>
          mounts.some(
            ({ type, name, driver }) =>
              type === 'volume' && name === volume && driver !== LOCAL,
          ),
        ),
      holderName: (mountId) => holders.get(mountId),
      containerName: (id) => names.get(id),
    }
  } catch (error) {
    if (error instanceof UnavailableError) return UNKNOWN
    throw error
  }
}

const UNKNOWN: WhoUses = {
  isKnown: false,
  usersOf: () => [],
  holderName: () => undefined,
  containerName: () => undefined,
}
