import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { SILENT } from '../../src/base/log.ts'
import { LayerImageStorer } from '../../src/image/layer-image-storer.ts'
import { VfsLayers } from '../../src/graph/vfs/vfs-layers.ts'
import { describeImageStorer } from '../contracts/describe-image-storer.ts'
import { naive } from '../support/open-graph.ts'

describeImageStorer(
  'vfs',
  async (home, limits) => {
    const graph = join(home, 'graph')
    await fs.mkdir(graph, { recursive: true })
    const { driver, close } = await naive((on) => VfsLayers.open(on))(graph)
    const storer = await LayerImageStorer.open({
      root: join(home, 'images'),
      driver,
      log: SILENT,
      ...limits,
    })
    return { storer, close }
  },
  { on: ['root'] },
)
