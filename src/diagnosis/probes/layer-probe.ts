import { basename, join } from 'node:path'
import { isErrno } from '../../base/errors.ts'
import { SILENT } from '../../base/log.ts'
import { type InitParameters, readInit } from '../../graph/init.ts'
import { openDriver } from '../../graph/open-driver.ts'
import { type Finding, finding, type Probe } from '../finding.ts'
import {
  type BrokenLayer,
  checkLayers,
  type LayerCheck,
  type OrphanLayer,
} from '../layer-check.ts'
import { layerdbBeside } from '../layer-records.ts'
import type { Place } from '../place.ts'

/** A younger layer may be in the making: BuildKit names its own late. */
const OLD = 86_400_000

/** Layers beside what Docker says that there are. */
export const layerProbe: Probe = {
  name: 'layers',
  async run(place) {
    const { settings } = place
    if (!settings.implements.includes('graph')) return []
    const init = await readInit(settings.dataRoot)
    if (init === undefined) return []
    const check = await checkLayers(init.home, layerdbOf(init.home, place))
    return [
      ...check.broken.map(broken),
      ...missing(check),
      ...check.orphans.filter(isSurplus).map((layer) => orphan(layer, init)),
    ]
  },
}

/** A managed plugin's Home is inside of the plugin, and dockerd's records are not. */
function layerdbOf(home: string, { docker }: Place): string {
  const beside = layerdbBeside(home)
  if ('reason' in docker) return beside
  const { rootDirectory, storageDriver } = docker.info
  if (basename(home) !== storageDriver) return beside
  return join(rootDirectory, 'image', storageDriver, 'layerdb')
}

function isSurplus({ isMounted, removed, createdAt }: OrphanLayer): boolean {
  return !isMounted && !removed && Date.now() - createdAt.getTime() > OLD
}

function broken({ id, parent }: BrokenLayer): Finding {
  return finding('broken-layer', id, {
    explanation: `Layer "${id}" stands on layer "${parent}", which is not there. Images and containers with it cannot be used`,
    advice:
      'Restore the layer from a backup, or remove the images that have it, and pull or load them again',
  })
}

function missing({ missing: layers, records }: LayerCheck): readonly Finding[] {
  return layers.map(({ id, as }) =>
    finding('missing-layer', id, {
      explanation: `Docker names layer "${id}" for "${as}" in "${records}", and it is not there. What is made of it cannot run`,
      advice: 'Remove the image or the container, and pull or load it again',
    }),
  )
}

function orphan({ id, createdAt }: OrphanLayer, init: InitParameters): Finding {
  return finding('orphan-layer', id, {
    explanation: `Layer "${id}" of ${createdAt.toISOString()} is not among those that Docker names. BuildKit forgets layers that an image has twice, and a crash of dockerd leaves some. It only takes room`,
    advice: 'Run "stowage layer check --fix", which deletes such layers',
    repair: {
      action: 'delete the layer',
      needsStopped: true,
      apply: () => removeLayer(id, init),
    },
  })
}

async function removeLayer(id: string, init: InitParameters): Promise<void> {
  const open = await openDriver(init, { log: SILENT })
  try {
    await open.driver.remove(id)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  } finally {
    await open.close()
  }
}
