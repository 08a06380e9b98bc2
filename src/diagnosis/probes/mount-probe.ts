import { UNKNOWN_HOLDER } from '../../volume/attached-store.ts'
import { type Finding, finding, type Probe } from '../finding.ts'
import {
  holdsAt,
  unmountVolume,
  usersOf,
  type VolumeMount,
  volumeMounts,
} from '../volume-mounts.ts'

/** What is mounted in volumes, beside who holds them. */
export const mountProbe: Probe = {
  name: 'mounts',
  async run(place) {
    const holds = await holdsAt(place)
    return volumeMounts(place).flatMap((found) => {
      if (!found.isOwn) return [foreign(found)]
      // A volume in memory stays mounted for as long as it is.
      if (found.store.kind === 'tmpfs') return []
      const holders = [...(holds.get(found.volume)?.keys() ?? [])]
      const isHeld = holders.some((holder) => holder !== UNKNOWN_HOLDER)
      if (isHeld || usersOf(found.volume, place).length > 0) return []
      return [leftover(found)]
    })
  },
}

function leftover({ volume, directory, mount }: VolumeMount): Finding {
  return finding('leftover-mount', mount.mountpoint, {
    explanation: `Volume "${volume}" is mounted at "${mount.mountpoint}", and no container and no record holds it. It cannot be removed or rolled back while it is`,
    advice: `If nothing on this host works in there, unmount it: "umount ${mount.mountpoint}"`,
    repair: {
      action: 'unmount the volume',
      needsStopped: true,
      apply: () => unmountVolume(directory),
    },
  })
}

function foreign({ volume, mount }: VolumeMount): Finding {
  const { mountpoint, source, type } = mount
  return finding('foreign-mount', mountpoint, {
    explanation: `Something of type ${type} from "${source}" is mounted inside volume "${volume}", at "${mountpoint}". The volume is not removed while it is, so that nothing of it is deleted`,
    advice: `Find out who mounted it there, and unmount it: "umount ${mountpoint}"`,
  })
}
