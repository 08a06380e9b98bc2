import { Readable } from 'node:stream'
import { UnavailableError } from '../base/errors.ts'
import type { ChangeLog } from '../operations/change-log.ts'
import type { Metrics } from '../operations/metrics.ts'
import type { daemonEndpoints, EventView } from './contract/daemon-endpoints.ts'
import { ENDPOINTS } from './contract/endpoints.ts'
import type { ErrorCode } from './contract/failure.ts'
import { ERROR_CODES } from './contract/failure.ts'
import type { Handlers } from './handler.ts'
import { openApiDocument } from './openapi.ts'
import type { ChangeEvent } from '../operations/change-event.ts'

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** One thing that may be well or not. */
export interface HealthCheck {
  readonly name: string
  readonly isGood: boolean
  readonly detail?: string
}

/** The daemon as far as it concerns all of its parts. */
export interface DaemonView {
  readonly version: string
  /** By variable, none of them secret. */
  readonly settings: Readonly<Record<string, string>>
  readonly changes: ChangeLog
  readonly metrics: Metrics
  /** Its level can be changed while the daemon runs. */
  readonly log: { level: LogLevel }
  /** Whether all that was asked for has been opened. */
  isOpen(): boolean
  health(): readonly HealthCheck[]
  /** Where layers are, once Docker has said. */
  graph(): { readonly home: string; readonly driver: string } | undefined
}

/** The daemon itself: how it is, what it tells, and what has been changed. */
export function daemonHandlers(
  daemon: DaemonView,
): Handlers<typeof daemonEndpoints> {
  const startedAt = new Date().toISOString()
  const health = (): { isHealthy: boolean; checks: HealthCheck[] } => {
    const checks = [...daemon.health()]
    return { isHealthy: checks.every(({ isGood }) => isGood), checks }
  }
  return {
    async inspectDaemon() {
      return {
        version: daemon.version,
        pid: process.pid,
        startedAt,
        node: process.version,
        settings: { ...daemon.settings },
        graph: daemon.graph(),
      }
    },

    async checkHealth() {
      return health()
    },

    async checkReadiness() {
      if (daemon.isOpen()) return health()
      throw new UnavailableError(
        'Stowage is not ready yet: its stores and layers are being opened',
      )
    },

    async readMetrics() {
      return Readable.from([await daemon.metrics.text()])
    },

    async describeApi() {
      return { ...(await openApiDocument(ENDPOINTS, daemon.version)) }
    },

    async readLogLevel() {
      return { level: daemon.log.level }
    },

    async setLogLevel({ body: { level } }) {
      daemon.log.level = level
      return { level }
    },

    async followEvents(_received, { signal }) {
      return events(daemon.changes.follow(signal))
    },

    async readAudit({ query: { limit } }) {
      return events(await daemon.changes.tail(limit))
    },
  }
}

async function* events(
  changes: AsyncIterable<ChangeEvent> | Iterable<ChangeEvent>,
): AsyncGenerator<EventView> {
  for await (const { code, ...rest } of changes) {
    const known = ERROR_CODES.find((name): name is ErrorCode => name === code)
    yield { ...rest, ...(known === undefined ? {} : { code: known }) }
  }
}
