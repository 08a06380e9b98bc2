import type { AdminRecords } from './admin-records.ts'
import type { Config } from './config.ts'
import type { Halves } from './daemon-state.ts'
import type { Logger } from './logger.ts'
import type { Jobs } from './operations/jobs.ts'
import type { AddedStore } from './operations/stores.ts'
import type { ListeningSocket } from './plugin-socket.ts'

/** What the administrator's API is made for. */
export interface AdminParts extends Halves, AdminRecords {
  readonly config: Config
  readonly env: NodeJS.ProcessEnv
  readonly log: Logger
  readonly socket: ListeningSocket
  readonly added: readonly AddedStore[]
}

/** What all parts of the API have in common. */
export interface AdminCommon extends AdminParts {
  readonly jobs: Jobs
}
