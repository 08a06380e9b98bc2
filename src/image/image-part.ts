import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../base/log.ts'
import { openDriver } from '../graph/open-driver.ts'
import type { Part } from '../storage/storage.ts'
import { ImageStoreExistsError } from './image-errors.ts'
import { LayerImageStorer } from './layer-image-storer.ts'
import { NameLookupCache } from './name-lookup-cache.ts'

/** What images need of the storage they are part of. */
export interface ImagePartOptions {
  /** How layers are kept; `auto` by default. */
  readonly driver?: string | undefined
  readonly log: Log
}

/**
 * Images as a part of storage: the stores that the configuration names, under
 * `images` in the data root, with a Home of their own for the layers.
 */
export function images({ driver: wanted, log }: ImagePartOptions): Part {
  return async ({ configuration, registry }) => {
    const root = join(configuration.dataRoot, 'images')
    const home = join(root, 'layers')
    await fs.mkdir(home, { recursive: true, mode: 0o711 })
    const graph = await openDriver(
      { home, options: [], uidMaps: [], gidMaps: [] },
      { driver: wanted, log },
    )
    try {
      const { maxLayerDepth, imageQuota, imageStores } = configuration
      const storer = await LayerImageStorer.open({
        root,
        driver: graph.driver,
        maxLayerDepth,
        imageQuota,
        log,
      })
      const cache = new NameLookupCache(storer, registry)
      for (const name of imageStores) await ensure(cache, name)
      return {
        async [Symbol.asyncDispose]() {
          cache[Symbol.dispose]()
          await graph.close()
        },
      }
    } catch (error) {
      await graph.close()
      throw error
    }
  }
}

async function ensure(cache: NameLookupCache, name: string): Promise<void> {
  try {
    await cache.createImageStore(name)
  } catch (error) {
    if (!(error instanceof ImageStoreExistsError)) throw error
    await cache.getImageStore(name)
  }
}
