import { codeOf } from './admin/failure-of.ts'
import { callMetrics } from './admin/daemon-metrics.ts'
import { messageOf } from './base/errors.ts'
import { peerCredentials } from './linux/peer-credentials.ts'
import type { ChangeLog } from './operations/change-log.ts'
import type { Metrics } from './operations/metrics.ts'
import type { CallObserver } from './protocol/app.ts'

/** Docker's methods after which something is there that was not, or is no more. */
const CHANGES = new Set([
  'VolumeDriver.Create',
  'VolumeDriver.Remove',
  'GraphDriver.Init',
  'GraphDriver.Create',
  'GraphDriver.CreateReadWrite',
  'GraphDriver.ApplyDiff',
  'GraphDriver.Remove',
])

/** Counts each call of Docker's, and writes down those that change something. */
export function recordDocker(
  changes: ChangeLog,
  metrics: Metrics,
): CallObserver {
  const count = callMetrics(metrics, 'docker')
  return ({ method, subject, failure, milliseconds, request, socket }) => {
    count({ name: method, isGood: failure === undefined, milliseconds })
    if (!CHANGES.has(method)) return
    const caller = peerCredentials(socket)
    const code = failure === undefined ? undefined : codeOf(failure)
    const outcome =
      code === undefined
        ? { result: 'done' as const }
        : {
            result:
              code === 'internal' ? ('failed' as const) : ('refused' as const),
            code,
            message: messageOf(failure),
          }
    void changes.record({
      time: new Date().toISOString(),
      operation: method,
      subject,
      ...outcome,
      ...(caller === undefined ? {} : { caller }),
      front: 'docker',
      request,
      milliseconds: Math.round(milliseconds),
    })
  }
}
