import { join } from 'node:path'
import type { Log } from './base/log.ts'
import { ChangeLog } from './operations/change-log.ts'
import { Metrics } from './operations/metrics.ts'
import type { CallObserver } from './protocol/app.ts'
import { recordDocker } from './record-docker.ts'

/** What the administrator is told of: what was changed, and numbers. */
export interface AdminRecords {
  readonly changes: ChangeLog
  readonly metrics: Metrics
  /** Notes a call of Docker's in both. */
  readonly observe: CallObserver
}

export async function openRecords(
  dataRoot: string,
  log: Log,
): Promise<AdminRecords> {
  const changes = await ChangeLog.open(join(dataRoot, 'audit'), log)
  const metrics = new Metrics()
  return { changes, metrics, observe: recordDocker(changes, metrics) }
}
