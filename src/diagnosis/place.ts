import { join } from 'node:path'
import { isErrno, messageOf } from '../base/errors.ts'
import type { DockerClient } from '../docker/docker-client.ts'
import { tryLock } from '../linux/flock.ts'
import { type MountInfo, readMountInfo } from '../linux/mountinfo.ts'
import { readAddedStores } from '../operations/stores.ts'
import { exists } from '../state/listing.ts'
import {
  storeDirectory,
  type VolumeStoreSpec,
} from '../volume/volume-stores.ts'
import { type DockerState, readDockerState } from './docker-state.ts'

/** The settings that matter to a diagnosis. */
export interface ExaminedSettings {
  readonly dataRoot: string
  readonly socket: string
  readonly adminSocket: string
  readonly implements: readonly string[]
  readonly stores: readonly VolumeStoreSpec[]
}

export interface PlaceOptions {
  readonly settings: ExaminedSettings
  /** What was wrong with settings that are replaced by their defaults. */
  readonly complaints: readonly string[]
  /** Variables that look like settings and are none. */
  readonly strangers: readonly string[]
  readonly docker: DockerClient
}

/** A store, and where its directory is. */
export interface ExaminedStore extends VolumeStoreSpec {
  readonly directory: string
}

/** One installation of Stowage, as it was when the diagnosis began. */
export interface Place extends Omit<PlaceOptions, 'docker'> {
  readonly stores: readonly ExaminedStore[]
  /** Whether a daemon has the data root. */
  readonly isRunning: boolean
  readonly mounts: readonly MountInfo[]
  /** What Docker says; why not, where it does not answer. */
  readonly docker: DockerState | { readonly reason: string }
}

export async function openPlace(options: PlaceOptions): Promise<Place> {
  const { settings, docker, strangers } = options
  const { dataRoot, socket } = settings
  const complaints = [...options.complaints]
  const added = await addedStores(settings, complaints)
  return {
    settings,
    strangers,
    complaints,
    stores: [...settings.stores, ...added].map((spec) => ({
      ...spec,
      directory: storeDirectory(spec, dataRoot),
    })),
    isRunning: await isTaken(dataRoot),
    mounts: await readMountInfo(),
    docker: await dockerState(docker, socket),
  }
}

/** The stores that were added while a daemon ran. */
async function addedStores(
  { dataRoot, stores }: ExaminedSettings,
  complaints: string[],
): Promise<readonly VolumeStoreSpec[]> {
  try {
    const added = await readAddedStores(dataRoot, stores)
    return added.map(({ spec }) => spec)
  } catch (error) {
    complaints.push(messageOf(error))
    return []
  }
}

/** Whether somebody has the lock of `directory`. Looking leaves nothing behind. */
export async function isTaken(directory: string): Promise<boolean> {
  const path = join(directory, 'lock')
  if (!(await exists(path))) return false
  try {
    const lock = await tryLock(path)
    await lock?.release()
    return lock === undefined
  } catch (error) {
    // On a filesystem that is mounted read-only nobody runs.
    if (isErrno(error, 'EROFS', 'EACCES')) return false
    throw error
  }
}

async function dockerState(
  docker: DockerClient,
  socket: string,
): Promise<Place['docker']> {
  try {
    return await readDockerState(docker, socket)
  } catch (error) {
    return { reason: messageOf(error) }
  }
}
