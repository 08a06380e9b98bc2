import type { Log } from './base/log.ts'
import type { Config } from './config.ts'
import { builtInDrivers } from './graph/open-driver.ts'
import {
  type GraphHalf,
  openGraph,
  openVolumes,
  type VolumeHalf,
} from './halves.ts'
import { type Plugin, startPlugin } from './plugin.ts'
import { storeSource } from './volume/volume-stores.ts'

/**
 * Starts the plugin that `config` describes: the stores and the layers that are
 * built in, served as any others are.
 *
 * @throws InUseError when another daemon has the data root or the socket.
 */
export async function startDaemon(
  config: Config,
  log: Log,
  env: NodeJS.ProcessEnv,
): Promise<Plugin> {
  const { dataRoot, socket } = config
  return startPlugin({
    dataRoot,
    socket,
    log,
    env,
    open: () => config.implements.map((name) => HALVES[name](config, log)),
  })
}

const HALVES = { volume: volumeHalf, graph: graphHalf } as const

function volumeHalf(
  { dataRoot, stores, scope }: Config,
  parent: Log,
): VolumeHalf {
  const log = parent.child({ component: 'volume' })
  return openVolumes({
    dataRoot,
    stores: stores.map((spec) => storeSource(spec, { dataRoot, log })),
    scope,
    log,
  })
}

function graphHalf(config: Config, parent: Log): GraphHalf {
  const { dataRoot, graphDriver: driver, naiveDiff } = config
  const log = parent.child({ component: 'graph' })
  return openGraph({
    dataRoot,
    source: builtInDrivers({ driver, naiveDiff, log }),
    log,
  })
}
