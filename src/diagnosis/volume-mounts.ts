import { join, sep } from 'node:path'
import { isErrno } from '../base/errors.ts'
import type { MountInfo } from '../linux/mountinfo.ts'
import { unmount } from '../linux/mount.ts'
import { type Holders, readHolds } from '../state/holds.ts'
import * as layout from '../volume/folder-layout.ts'
import type { ExaminedStore, Place } from './place.ts'

/** Something that is mounted in the directory of a volume. */
export interface VolumeMount {
  readonly volume: string
  readonly store: ExaminedStore
  readonly directory: string
  readonly mount: MountInfo
  /** Whether it is the volume itself, and not something mounted inside. */
  readonly isOwn: boolean
}

export function volumeMounts(place: Place): readonly VolumeMount[] {
  return place.stores.flatMap((store) => {
    const volumes = join(store.directory, layout.VOLUMES)
    return place.mounts.flatMap((mount) => {
      if (!mount.mountpoint.startsWith(volumes + sep)) return []
      const [volume = '', ...rest] = mount.mountpoint
        .slice(volumes.length + 1)
        .split(sep)
      const inside = rest.join(sep)
      const isOwn = inside === layout.DATA || inside === layout.VIEW
      return [{ volume, store, directory: join(volumes, volume), mount, isOwn }]
    })
  })
}

export function holdsPath({ settings }: Place): string {
  return join(settings.dataRoot, 'state/volume-holds')
}

/** Who holds what, by the daemon's own journal. */
export function holdsAt(place: Place): Promise<ReadonlyMap<string, Holders>> {
  return readHolds(holdsPath(place))
}

/** Containers that run with `volume`, by name; none where Docker does not answer. */
export function usersOf(volume: string, { docker }: Place): readonly string[] {
  if ('reason' in docker) return []
  return docker.containers
    .filter(
      ({ state, mounts }) =>
        state === 'running' &&
        mounts.some(
          ({ name, driver }) =>
            name === volume && docker.driverNames.has(driver),
        ),
    )
    .map(({ name }) => name)
}

/** Takes a volume's own mounts away: its view first, which is made of its files. */
export async function unmountVolume(directory: string): Promise<void> {
  for (const name of [layout.VIEW, layout.DATA]) {
    try {
      await unmount(join(directory, name))
    } catch (error) {
      if (!isErrno(error, 'EINVAL', 'ENOENT')) throw error
    }
  }
}
