import type { AdminCommon, AdminParts } from './admin-parts.ts'
import { createAdminApp } from './admin/admin-app.ts'
import { daemonEndpoints } from './admin/contract/daemon-endpoints.ts'
import { jobEndpoints } from './admin/contract/job-endpoints.ts'
import { layerEndpoints } from './admin/contract/layer-endpoints.ts'
import { daemonHandlers } from './admin/daemon-handlers.ts'
import {
  callMetrics,
  jobMetrics,
  processMetrics,
} from './admin/daemon-metrics.ts'
import { type Front, front } from './admin/front.ts'
import { jobHandlers } from './admin/job-handlers.ts'
import { layerHandlers } from './admin/layer-handlers.ts'
import { listenForMetrics } from './admin/metrics-listener.ts'
import { ended } from './base/ended.ts'
import { daemonState } from './daemon-state.ts'
import type { GraphHost } from './graph/host.ts'
import { Jobs } from './operations/jobs.ts'
import { Layers } from './operations/layers.ts'
import type { Beside } from './plugin.ts'
import { messagesFor } from './protocol/messages.ts'
import { Server } from './protocol/server.ts'
import { version } from './version.ts'
import { VolumeFronts } from './volume-fronts.ts'

/** As long as the reader of an archive may take once the daemon is to end. */
const DRAIN_LIMIT = 60_000

/** Serves all about the daemon that Docker has no word for, on a socket of its own. */
export async function startAdmin(parts: AdminParts): Promise<Beside> {
  const log = parts.log.child({ component: 'admin' })
  const common = { ...parts, log, jobs: new Jobs() }
  const { changes } = common
  const closing = new AbortController()
  const { volumes: opening, trash, graph } = parts
  const volumes =
    opening && trash && new VolumeFronts({ volumes: opening, trash }, common)
  const waiting = [
    ...(volumes?.fronts ?? []),
    ...(graph === undefined ? [] : [layerFront(graph)]),
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
  const { metricsPort } = parts.config
  const listener =
    metricsPort === 0
      ? undefined
      : await listenForMetrics(metricsPort, common.metrics)
  const server = new Server(app, messagesFor(app))
  await server.listen(parts.socket.descriptor)
  return {
    opened,
    async drain() {
      closing.abort()
      listener?.close()
      listener?.closeAllConnections()
      await parts.socket.hide()
      const cut = await server.drain(DRAIN_LIMIT)
      if (cut > 0) log.warn('Calls cut off, they took too long', { cut })
    },
    async close() {
      await common.jobs.close()
      await volumes?.close()
      await changes.close()
    },
  }
}

/** They wait for nothing that is being opened. */
function daemonFronts(common: AdminCommon): readonly Front[] {
  const { changes, jobs, metrics, log } = common
  processMetrics(metrics, version())
  jobMetrics(metrics, jobs)
  const state = daemonState(common)
  return [
    front(
      daemonEndpoints,
      daemonHandlers({
        ...state,
        version: version(),
        changes,
        metrics,
        log,
      }),
    ),
    front(jobEndpoints, jobHandlers(jobs)),
  ]
}

async function layerFront(graph: Promise<GraphHost>): Promise<Front> {
  return front(layerEndpoints, layerHandlers(new Layers(await graph)))
}
