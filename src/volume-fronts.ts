import { join } from 'node:path'
import type { AdminCommon } from './admin-parts.ts'
import { scheduleEndpoints } from './admin/contract/schedule-endpoints.ts'
import { snapshotEndpoints } from './admin/contract/snapshot-endpoints.ts'
import { storeEndpoints } from './admin/contract/store-endpoints.ts'
import { transferEndpoints } from './admin/contract/transfer-endpoints.ts'
import { trashEndpoints } from './admin/contract/trash-endpoints.ts'
import { volumeEndpoints } from './admin/contract/volume-endpoints.ts'
import { trashMetrics, volumeMetrics } from './admin/daemon-metrics.ts'
import { codeOf } from './admin/failure-of.ts'
import { type Front, front } from './admin/front.ts'
import { scheduleHandlers } from './admin/schedule-handlers.ts'
import { snapshotHandlers } from './admin/snapshot-handlers.ts'
import { storeHandlers } from './admin/store-handlers.ts'
import { transferHandlers } from './admin/transfer-handlers.ts'
import { trashHandlers } from './admin/trash-handlers.ts'
import { volumeHandlers } from './admin/volume-handlers.ts'
import { messageOf } from './base/errors.ts'
import { VISIBLE_ROOT } from './operations/hidden-store.ts'
import { type RunObserver, Schedules } from './operations/schedules.ts'
import { Stores } from './operations/stores.ts'
import type { TrashKeeper } from './operations/trash-keeper.ts'
import { VolumeArchives } from './operations/volume-archives.ts'
import { VolumeClones } from './operations/volume-clones.ts'
import { Storage } from './storage/storage.ts'
import type { VolumeLookupCache } from './volume/volume-lookup-cache.ts'
import { volumesPart } from './volume/volume-part.ts'

/** The volumes and what was removed of them, on their way to being open. */
interface OpeningVolumes {
  readonly volumes: Promise<VolumeLookupCache>
  readonly trash: Promise<TrashKeeper>
}

/** All that an administrator can do with volumes, on its way to being open. */
export class VolumeFronts {
  readonly fronts: readonly Promise<Front>[]
  readonly #schedules: Promise<Schedules>
  readonly #storage: Promise<Storage>

  constructor({ volumes, trash }: OpeningVolumes, common: AdminCommon) {
    this.#schedules = openSchedules(volumes, common)
    this.#storage = openStorage(volumes, common)
    this.fronts = [
      volumeFront(volumes, common),
      snapshotFront(volumes),
      storeFront({ volumes, trash }, common),
      trashFront({ volumes, trash }, common),
      scheduleFront(this.#schedules),
      transferFront(volumes, this.#storage, common),
    ]
  }

  async close(): Promise<void> {
    await (await this.#schedules).close()
    await (await this.#storage).close()
  }
}

async function openSchedules(
  volumes: Promise<VolumeLookupCache>,
  { config, changes, log }: AdminCommon,
): Promise<Schedules> {
  const observe: RunObserver = (operation, subject, failure) => {
    const outcome =
      failure === undefined
        ? { result: 'done' as const }
        : {
            result: 'failed' as const,
            code: codeOf(failure),
            message: messageOf(failure),
          }
    const time = new Date().toISOString()
    const event = { time, operation, subject, ...outcome, milliseconds: 0 }
    void changes.record({ ...event, front: 'daemon' })
  }
  const path = join(config.dataRoot, 'schedules.json')
  return Schedules.open({ path, volumes: await volumes, log, observe })
}

async function openStorage(
  volumes: Promise<VolumeLookupCache>,
  { config, log }: AdminCommon,
): Promise<Storage> {
  const parts = [volumesPart(await volumes)]
  return Storage.open({ dataRoot: config.dataRoot }, parts, log)
}

async function volumeFront(
  volumes: Promise<VolumeLookupCache>,
  { metrics }: AdminCommon,
): Promise<Front> {
  const opened = await volumes
  volumeMetrics(metrics, opened)
  return front(volumeEndpoints, volumeHandlers(opened))
}

async function snapshotFront(
  volumes: Promise<VolumeLookupCache>,
): Promise<Front> {
  return front(snapshotEndpoints, snapshotHandlers(await volumes))
}

async function trashFront(
  { volumes, trash }: OpeningVolumes,
  { metrics }: AdminCommon,
): Promise<Front> {
  const keeper = await trash
  trashMetrics(metrics, keeper)
  return front(trashEndpoints, trashHandlers(keeper, await volumes))
}

async function storeFront(
  { volumes, trash }: OpeningVolumes,
  { config, env, added, log }: AdminCommon,
): Promise<Front> {
  const opened = await volumes
  const stores = new Stores({
    dataRoot: config.dataRoot,
    configured: config.stores,
    added,
    volumes: opened,
    visible: env[VISIBLE_ROOT],
    log,
  })
  const parts = { stores, volumes: opened, trash: await trash }
  return front(storeEndpoints, storeHandlers(parts))
}

async function scheduleFront(schedules: Promise<Schedules>): Promise<Front> {
  return front(scheduleEndpoints, scheduleHandlers(await schedules))
}

async function transferFront(
  volumes: Promise<VolumeLookupCache>,
  storage: Promise<Storage>,
  { jobs, log }: AdminCommon,
): Promise<Front> {
  const opened = await volumes
  const archives = new VolumeArchives({
    volumes: opened,
    storage: await storage,
    jobs,
    log,
  })
  const clones = new VolumeClones(opened, jobs)
  return front(transferEndpoints, transferHandlers(archives, clones))
}
