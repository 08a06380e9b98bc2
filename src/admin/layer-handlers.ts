import { compressed } from '../archive/compressed.ts'
import { checkLayers, type OrphanLayer } from '../diagnosis/layer-check.ts'
import type { Layers } from '../operations/layers.ts'
import type { layerEndpoints } from './contract/layer-endpoints.ts'
import type { Handlers } from './handler.ts'

/** The image layers that Docker's daemon keeps here. */
export function layerHandlers(layers: Layers): Handlers<typeof layerEndpoints> {
  return {
    async listLayers() {
      const list = await layers.list()
      return {
        home: layers.home,
        driver: layers.driver,
        layers: list.map(({ id, parent, sealed, removed, isMounted }) => ({
          id,
          parent,
          isMounted,
          isSealed: sealed,
          isKeptForChildren: removed,
        })),
      }
    },

    async measureLayers(_received, { signal }) {
      // Asked first, so that there being no layers yet is an answer of its own.
      await layers.list()
      return layers.sizes(signal)
    },

    async checkLayers({ body: { fix, olderThan } }) {
      const { records, orphans, missing, broken } = await checkLayers(
        layers.home,
      )
      const limit = Date.now() - olderThan * 1000
      const mayGo = ({ createdAt, isMounted, removed }: OrphanLayer): boolean =>
        !isMounted && !removed && createdAt.getTime() <= limit
      const deleted: string[] = []
      if (fix) {
        for (const orphan of orphans.filter(mayGo)) {
          await layers.remove(orphan.id)
          deleted.push(orphan.id)
        }
      }
      return {
        records,
        orphans: orphans.map((orphan) => ({
          id: orphan.id,
          parent: orphan.parent,
          createdAt: orphan.createdAt.toISOString(),
          isMounted: orphan.isMounted,
          isKeptForChildren: orphan.removed,
          mayGo: mayGo(orphan),
        })),
        missing: missing.map(({ id, as }) => ({ id, as })),
        broken: broken.map(({ id, parent }) => ({ id, parent })),
        deleted,
      }
    },

    async exportLayer({ params: { layer }, query: { compression } }) {
      return compressed(await layers.export(layer), compression)
    },
  }
}
