import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { SILENT } from '../../src/base/log.ts'
import type { Driver } from '../../src/graph/driver.ts'
import { VfsLayers } from '../../src/graph/vfs/vfs-layers.ts'
import { LayerImageStorer } from '../../src/image/layer-image-storer.ts'
import type { ImageStorerLimits } from '../contracts/use-image-storer.ts'
import { type Faults, faulty, noFaults } from './faulty.ts'
import { naive, type OpenLayers } from '../../src/conformance/open-graph.ts'

export interface OpenedImages {
  readonly storer: LayerImageStorer
  /** What keeps the layers, without the faults. */
  readonly driver: Driver
  readonly close: () => Promise<void>
}

export interface OpenImagesOptions extends ImageStorerLimits {
  readonly layers?: OpenLayers
  /** Trouble between the storer and the driver. */
  readonly faults?: Faults
}

/** Opens image stores on a directory, with the layers beside them. */
export async function openImages(
  home: string,
  {
    layers = (on) => VfsLayers.open(on),
    faults = noFaults(),
    ...limits
  }: OpenImagesOptions = {},
): Promise<OpenedImages> {
  const graph = join(home, 'graph')
  await fs.mkdir(graph, { recursive: true })
  const { driver, close } = await naive(layers)(graph)
  const storer = await LayerImageStorer.open({
    root: join(home, 'images'),
    driver: faulty(driver, faults),
    log: SILENT,
    ...limits,
  })
  return { storer, driver, close }
}
