import { ended } from './base/ended.ts'
import type { Log } from './base/log.ts'
import { GraphHost } from './graph/host.ts'
import type { DriverSource } from './graph/open-driver.ts'
import { TrashKeeper } from './operations/trash-keeper.ts'
import { type TrashLimits, USUAL_LIMITS } from './operations/trash-limits.ts'
import type { PluginInterface, Routes } from './protocol/app.ts'
import { graphRoutes } from './protocol/graph-routes.ts'
import {
  volumeRoutes,
  type VolumeRoutesOptions,
} from './protocol/volume-routes.ts'
import type { VolumeStoreSource } from './volume/attached-store.ts'
import { VolumeLookupCache } from './volume/volume-lookup-cache.ts'

/** One of the two interfaces, called before it is open. */
export interface Half extends PluginInterface {
  readonly routes: Promise<Routes>
  close(): Promise<void>
}

/** The half that serves volumes. */
export interface VolumeHalf extends Half {
  readonly volumes: Promise<VolumeLookupCache>
  readonly trash: Promise<TrashKeeper>
}

/** The half that serves layers. */
export interface GraphHalf extends Half {
  readonly graph: Promise<GraphHost>
}

interface HalfOptions {
  readonly dataRoot: string
  readonly log: Log
}

export interface VolumeHalfOptions extends HalfOptions, VolumeRoutesOptions {
  readonly stores: readonly VolumeStoreSource[]
  readonly trash?: TrashLimits
}

/** Begins to open the stores. */
export function openVolumes(options: VolumeHalfOptions): VolumeHalf {
  const { dataRoot, stores, trash: limits = USUAL_LIMITS, log } = options
  const keepsRemoved = limits.keepFor > 0
  const cache = { dataRoot, stores, keepsRemoved, log }
  const volumes = VolumeLookupCache.open(cache)
  const keep = async (): Promise<TrashKeeper> =>
    new TrashKeeper({ volumes: await volumes, limits, log })
  const trash = keep()
  void ended(trash)
  const routes = async (): Promise<Routes> =>
    volumeRoutes(await volumes, options)
  return {
    name: 'VolumeDriver',
    volumes,
    trash,
    routes: routes(),
    async close() {
      await (await trash).close()
      await (await volumes).close()
    },
  }
}

export interface GraphHalfOptions extends HalfOptions {
  readonly source: DriverSource
}

/** Begins to open the layers of Docker's last Init. */
export function openGraph(options: GraphHalfOptions): GraphHalf {
  const graph = GraphHost.open(options)
  const routes = async (): Promise<Routes> => graphRoutes(await graph)
  return {
    name: 'GraphDriver',
    graph,
    routes: routes(),
    close: async () => (await graph).close(),
  }
}
