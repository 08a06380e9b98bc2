import * as fs from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isErrno } from '../base/errors.ts'
import { namesIn } from '../state/listing.ts'

/** One layer that dockerd knows, and as what. */
export interface NamedLayer {
  /** The id that dockerd calls the driver with. */
  readonly id: string
  /** The image layer or the container that it is for. */
  readonly as: string
}

export interface LayerRecords {
  /** dockerd's layerdb: where the names are from. */
  readonly path: string
  readonly named: readonly NamedLayer[]
  /**
   * Whether BuildKit's records mention a layer. Nobody else reads their form, so
   * this may say yes of one that BuildKit has forgotten, and never no of one in use.
   */
  mentions(id: string): boolean
}

/** What dockerd writes down about each read-only layer and each container. */
const IMAGE_LAYER = ['cache-id'] as const
const CONTAINER = ['mount-id', 'init-id'] as const

/** Docker puts a driver's Home beside its own records, under the driver's name. */
export function layerdbBeside(home: string): string {
  return join(dirname(home), 'image', basename(home), 'layerdb')
}

/**
 * Reads what dockerd knows of layers, from its own files:
 *
 *     <root>/image/<driver>/layerdb/sha256/<chain id>/cache-id
 *     <root>/image/<driver>/layerdb/mounts/<container>/{mount-id,init-id}
 *     <root>/buildkit/*.db
 *
 * @returns `undefined` where there is no layerdb: another Docker may have Home.
 */
export async function readLayerRecords(
  layerdb: string,
): Promise<LayerRecords | undefined> {
  const [images, containers] = [
    join(layerdb, 'sha256'),
    join(layerdb, 'mounts'),
  ]
  const isThere = (await namesIn(layerdb)).length > 0
  if (!isThere) return undefined
  const named = [
    ...(await namedIn(images, IMAGE_LAYER)),
    ...(await namedIn(containers, CONTAINER)),
  ]
  const buildkit = await databases(join(layerdb, '../../../buildkit'))
  return {
    path: layerdb,
    named,
    mentions: (id) => buildkit.some((database) => database.includes(id)),
  }
}

async function namedIn(
  directory: string,
  files: readonly string[],
): Promise<readonly NamedLayer[]> {
  const named: NamedLayer[] = []
  for (const name of await namesIn(directory)) {
    for (const file of files) {
      const id = await textOf(join(directory, name, file))
      if (id !== '') named.push({ id, as: name })
    }
  }
  return named
}

async function databases(directory: string): Promise<readonly Buffer[]> {
  const names = (await namesIn(directory)).filter((name) =>
    name.endsWith('.db'),
  )
  return Promise.all(names.map((name) => fs.readFile(join(directory, name))))
}

/** A container that never ran has no init layer. */
async function textOf(path: string): Promise<string> {
  try {
    return (await fs.readFile(path, 'utf8')).trim()
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return ''
    throw error
  }
}
