import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '../base/errors.ts'
import { type LayerFolder, readLayerFolders } from '../graph/layer-folders.ts'
import { isClaimed } from '../graph/format.ts'
import { mountsBelow } from '../linux/mountinfo.ts'
import {
  layerdbBeside,
  type LayerRecords,
  type NamedLayer,
  readLayerRecords,
} from './layer-records.ts'

/** A layer that Docker does not name, nor any layer above it. */
export interface OrphanLayer extends LayerFolder {
  readonly createdAt: Date
  readonly isMounted: boolean
}

/** A layer whose parent is not there: neither can be shown. */
export interface BrokenLayer {
  readonly id: string
  readonly parent: string
}

/** A Home of layers beside what the dockerd that uses it knows of layers. */
export interface LayerCheck {
  /** dockerd's layerdb; `undefined` where there is none that goes with Home. */
  readonly records: string | undefined
  readonly layers: readonly LayerFolder[]
  /** None where there are no records: then nothing is known of who names what. */
  readonly orphans: readonly OrphanLayer[]
  readonly missing: readonly NamedLayer[]
  readonly broken: readonly BrokenLayer[]
}

/**
 * Compares the layers in `home` with dockerd's own records, and changes nothing.
 *
 * Both are read while others write them. A layer in the making may be taken for an
 * orphan, and one that goes for missing: who acts on orphans takes old ones only.
 */
export async function checkLayers(
  home: string,
  layerdb: string = layerdbBeside(home),
): Promise<LayerCheck> {
  // Named layers first: what is made meanwhile is then a layer too many, not missing.
  const records = await readLayerRecords(layerdb)
  const layers = (await isClaimed(home)) ? await foldersIn(home) : []
  const byId = new Map(layers.map((layer) => [layer.id, layer]))
  const broken = layers.filter(
    ({ parent }) => parent !== '' && !byId.has(parent),
  )
  return {
    records: records?.path,
    layers,
    orphans: records === undefined ? [] : await orphansOf(home, byId, records),
    missing: records?.named.filter(({ id }) => isMissing(byId.get(id))) ?? [],
    broken: broken.map(({ id, parent }) => ({ id, parent })),
  }
}

async function orphansOf(
  home: string,
  layers: ReadonlyMap<string, LayerFolder>,
  records: LayerRecords,
): Promise<readonly OrphanLayer[]> {
  const used = new Set<string>()
  const use = (id: string): void => {
    const layer = layers.get(id)
    if (layer === undefined || used.has(id)) return
    used.add(id)
    use(layer.parent)
  }
  for (const { id } of records.named) use(id)
  for (const id of layers.keys()) if (records.mentions(id)) use(id)
  const mounted = await mountsBelow(join(home, 'mnt'))
  const orphans: OrphanLayer[] = []
  for (const layer of layers.values()) {
    if (used.has(layer.id)) continue
    const createdAt = await madeAt(join(home, 'layers', layer.id))
    if (createdAt === undefined) continue
    const isMounted = mounted.includes(join(home, 'mnt', layer.id))
    orphans.push({ ...layer, createdAt, isMounted })
  }
  return orphans
}

function isMissing(layer: LayerFolder | undefined): boolean {
  return layer === undefined || layer.removed
}

/** A layer may go while the others are read. */
async function foldersIn(home: string): Promise<readonly LayerFolder[]> {
  try {
    return await readLayerFolders(home)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return foldersIn(home)
    throw error
  }
}

async function madeAt(directory: string): Promise<Date | undefined> {
  try {
    return (await fs.stat(directory)).birthtime
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
