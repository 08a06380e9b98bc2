import type { Verb } from './verb.ts'
import { cloneVerb } from './verbs/clone-verb.ts'
import { completionVerbs } from './verbs/completion-verbs.ts'
import { conformanceVerb } from './verbs/conformance-verb.ts'
import { doctorVerb } from './verbs/doctor-verb.ts'
import { eventsVerb } from './verbs/events-verb.ts'
import { exportVerb } from './verbs/export-verb.ts'
import { importVerb } from './verbs/import-verb.ts'
import { jobVerbs } from './verbs/job-verbs.ts'
import { layerVerbs } from './verbs/layer-verbs.ts'
import { logVerb } from './verbs/log-verb.ts'
import { scheduleVerbs } from './verbs/schedule-verbs.ts'
import { snapshotVerbs } from './verbs/snapshot-verbs.ts'
import { storeVerbs } from './verbs/store-verbs.ts'
import { trashVerbs } from './verbs/trash-verbs.ts'
import { volumeChangeVerbs } from './verbs/volume-change-verbs.ts'
import { volumeVerbs } from './verbs/volume-verbs.ts'

/** What the verbs of one first word are about. */
export const GROUPS: Readonly<Record<string, string>> = {
  volume: 'Volumes: make, look at, change, remove',
  snapshot: 'What volumes were at a moment',
  trash: 'Removed volumes, until they are deleted for good',
  schedule: 'Snapshots made and deleted by the clock',
  store: 'The places that keep volumes',
  layer: "The layers of Docker's images",
  job: 'Long work under way',
  log: "The daemon's log",
}

/** Everything that the command can do, in the order in which it is told. */
export const VERBS: readonly Verb[] = [
  ...volumeVerbs,
  ...volumeChangeVerbs,
  ...snapshotVerbs,
  cloneVerb,
  exportVerb,
  importVerb,
  ...trashVerbs,
  ...scheduleVerbs,
  ...storeVerbs,
  ...layerVerbs,
  ...jobVerbs,
  eventsVerb,
  logVerb,
  doctorVerb,
  conformanceVerb,
  ...completionVerbs(() => VERBS),
]
