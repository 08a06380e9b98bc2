import { layerdbBeside, readLayerRecords } from '../diagnosis/layer-records.ts'
import type { WhoUses } from '../docker/who-uses.ts'

/** What a layer is for: a container's name, or an image layer's own id. */
export type LayerNames = (id: string) => string | undefined

/** What Docker has the layers in `home` for, by dockerd's own records. */
export async function layerNames(
  home: string,
  who: WhoUses,
): Promise<LayerNames> {
  const records = await readLayerRecords(layerdbBeside(home))
  const named = new Map(records?.named.map(({ id, as }) => [id, as]))
  return (id) => {
    const as = named.get(id)
    if (as === undefined) return undefined
    const container = who.containerName(as)
    return container === undefined
      ? `image ${as.slice(0, 12)}`
      : `container ${container}`
  }
}
