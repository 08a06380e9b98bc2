import { join } from 'node:path'
import { createAdminApp } from './admin/admin-app.ts'
import { SERVED } from './admin/contract/endpoints.ts'
import { daemonHandlers } from './admin/daemon-handlers.ts'
import {
  callMetrics,
  jobMetrics,
  processMetrics,
  volumeMetrics,
} from './admin/daemon-metrics.ts'
import { type Front, front } from './admin/front.ts'
import { jobHandlers } from './admin/job-handlers.ts'
import { layerHandlers } from './admin/layer-handlers.ts'
import { storeHandlers } from './admin/store-handlers.ts'
import { transferHandlers } from './admin/transfer-handlers.ts'
import { volumeHandlers } from './admin/volume-handlers.ts'
import { ended } from './base/ended.ts'
import type { Config } from './config.ts'
import { daemonState, type Halves } from './daemon-state.ts'
import type { GraphHost } from './graph/host.ts'
import type { Logger } from './logger.ts'
import { AuditLog } from './operations/audit-log.ts'
import { ChangeLog } from './operations/change-log.ts'
import { Jobs } from './operations/jobs.ts'
import { Layers } from './operations/layers.ts'
import { Metrics } from './operations/metrics.ts'
import { type AddedStore, Stores } from './operations/stores.ts'
import { VolumeArchives } from './operations/volume-archives.ts'
import type { ListeningSocket } from './plugin-socket.ts'
import type { Beside } from './plugin.ts'
import { messagesFor } from './protocol/messages.ts'
import { Server } from './protocol/server.ts'
import { recordDocker } from './record-docker.ts'
import { Storage } from './storage/storage.ts'
import { version } from './version.ts'
import type { VolumeLookupCache } from './volume/volume-lookup-cache.ts'
import { volumesPart } from './volume/volume-part.ts'

/** As long as the reader of an archive may take once the daemon is to end. */
const DRAIN_LIMIT = 60_000

export interface AdminParts extends Halves {
  readonly config: Config
  readonly env: NodeJS.ProcessEnv
  readonly log: Logger
  readonly socket: ListeningSocket
  readonly added: readonly AddedStore[]
}

/** What all parts of the service have in common. */
interface Common extends AdminParts {
  readonly changes: ChangeLog
  readonly jobs: Jobs
  readonly metrics: Metrics
}

/** Serves all about the daemon that Docker has no word for, on a socket of its own. */
export async function startAdmin(parts: AdminParts): Promise<Beside> {
  const log = parts.log.child({ component: 'admin' })
  const audit = await AuditLog.open(join(parts.config.dataRoot, 'audit'))
  const changes = new ChangeLog(audit, log)
  const common = {
    ...parts,
    log,
    changes,
    jobs: new Jobs(),
    metrics: new Metrics(),
  }
  const closing = new AbortController()
  const volumes = parts.volumes && new VolumeSide(parts.volumes, common)
  const waiting = [
    ...(volumes?.fronts ?? []),
    ...(parts.graph === undefined ? [] : [layerFront(parts.graph)]),
  ]
  const fronts = [...daemonFronts(common), ...waiting]
  const opened = Promise.all(waiting)
  void ended(opened)
  const app = createAdminApp(fronts, {
    log,
    closing: closing.signal,
    record: (event) => changes.record(event),
    observe: callMetrics(common.metrics, 'admin'),
  })
  const server = new Server(app, messagesFor(app))
  await server.listen(parts.socket.descriptor)
  return {
    opened,
    observe: recordDocker(changes, callMetrics(common.metrics, 'docker')),
    async stop() {
      closing.abort()
      await parts.socket.hide()
      const cut = await server.drain(DRAIN_LIMIT)
      if (cut > 0) log.warn('Calls cut off, they took too long', { cut })
      await common.jobs.close()
      await volumes?.close()
      await changes.close()
    },
  }
}

/** They wait for nothing that is being opened. */
function daemonFronts(common: Common): readonly Front[] {
  const { changes, jobs, metrics, log } = common
  processMetrics(metrics, version())
  jobMetrics(metrics, jobs)
  const state = daemonState(common)
  return [
    front(
      SERVED.daemon,
      daemonHandlers({
        ...state,
        version: version(),
        changes,
        metrics,
        log,
      }),
    ),
    front(SERVED.jobs, jobHandlers(jobs)),
  ]
}

async function layerFront(graph: Promise<GraphHost>): Promise<Front> {
  return front(SERVED.layers, layerHandlers(new Layers(await graph)))
}

/** What there is to do with volumes. */
class VolumeSide {
  readonly fronts: readonly Promise<Front>[]
  readonly #storage: Promise<Storage>

  constructor(volumes: Promise<VolumeLookupCache>, common: Common) {
    this.#storage = openStorage(volumes, common)
    this.fronts = [
      volumeFront(volumes, common),
      storeFront(volumes, common),
      transferFront(volumes, this.#storage, common),
    ]
  }

  async close(): Promise<void> {
    const storage = await this.#storage
    await storage.close()
  }
}

async function openStorage(
  volumes: Promise<VolumeLookupCache>,
  { config, log }: Common,
): Promise<Storage> {
  const parts = [volumesPart(await volumes)]
  return Storage.open({ dataRoot: config.dataRoot }, parts, log)
}

async function volumeFront(
  volumes: Promise<VolumeLookupCache>,
  { metrics }: Common,
): Promise<Front> {
  const opened = await volumes
  volumeMetrics(metrics, opened)
  return front(SERVED.volumes, volumeHandlers(opened))
}

async function storeFront(
  volumes: Promise<VolumeLookupCache>,
  { config, added, log }: Common,
): Promise<Front> {
  const opened = await volumes
  const stores = new Stores({
    dataRoot: config.dataRoot,
    configured: config.stores,
    added,
    volumes: opened,
    log,
  })
  return front(SERVED.stores, storeHandlers(stores, opened))
}

async function transferFront(
  volumes: Promise<VolumeLookupCache>,
  storage: Promise<Storage>,
  { config, jobs, log }: Common,
): Promise<Front> {
  const archives = await VolumeArchives.open({
    volumes: await volumes,
    storage: await storage,
    jobs,
    directory: join(config.dataRoot, 'imports'),
    log,
  })
  return front(SERVED.transfers, transferHandlers(archives))
}
