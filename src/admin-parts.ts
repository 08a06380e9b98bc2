import type { Config } from './config.ts'
import type { Halves } from './daemon-state.ts'
import type { Logger } from './logger.ts'
import type { ChangeLog } from './operations/change-log.ts'
import type { Jobs } from './operations/jobs.ts'
import type { Metrics } from './operations/metrics.ts'
import type { AddedStore } from './operations/stores.ts'
import type { ListeningSocket } from './plugin-socket.ts'

/** What the administrator's API is made for. */
export interface AdminParts extends Halves {
  readonly config: Config
  readonly env: NodeJS.ProcessEnv
  readonly log: Logger
  readonly socket: ListeningSocket
  readonly added: readonly AddedStore[]
  readonly changes: ChangeLog
  readonly metrics: Metrics
}

/** What all parts of the API have in common. */
export interface AdminCommon extends AdminParts {
  readonly jobs: Jobs
}
