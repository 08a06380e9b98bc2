import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '../base/errors.ts'
import { JsonValue } from './json-value.ts'

/** What a container has noted about a volume that it has mounted. */
export interface MountId {
  /** What Docker called `VolumeDriver.Mount` with. */
  readonly mountId: string
  readonly volume: string
  readonly driver: string
  readonly containerId: string
  readonly containerName: string
}

/**
 * The mount ids of all containers that have a volume mounted now. Docker's API does
 * not tell them, so they are read from what dockerd keeps in its data root.
 */
export async function mountIds(
  dockerRoot: string,
): Promise<readonly MountId[]> {
  const containers = join(dockerRoot, 'containers')
  const found: MountId[] = []
  for (const id of await directoriesIn(containers)) {
    found.push(...mountsOf(await configOf(join(containers, id))))
  }
  return found
}

function mountsOf(config: JsonValue): readonly MountId[] {
  return config
    .at('MountPoints')
    .entries.map(([, mount]) => ({
      mountId: mount.at('ID').text,
      volume: mount.at('Name').text,
      driver: mount.at('Driver').text,
      containerId: config.at('ID').text,
      containerName: config.at('Name').text.replace(/^\//, ''),
    }))
    .filter(({ mountId }) => mountId !== '')
}

/** A container that is being made or removed has no config, or half of one. */
async function configOf(directory: string): Promise<JsonValue> {
  try {
    const text = await fs.readFile(join(directory, 'config.v2.json'), 'utf8')
    return new JsonValue(JSON.parse(text))
  } catch (error) {
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) {
      return new JsonValue(undefined)
    }
    throw error
  }
}

async function directoriesIn(path: string): Promise<readonly string[]> {
  try {
    return await fs.readdir(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}
