import { join } from 'node:path'
import { Holds } from '../../state/holds.ts'
import * as layout from '../../volume/folder-layout.ts'
import type { DockerState } from '../docker-state.ts'
import { type Finding, finding, type Probe } from '../finding.ts'
import type { Place } from '../place.ts'
import { holdsAt, holdsPath, unmountVolume, usersOf } from '../volume-mounts.ts'

/** What Docker calls one mount into one container. */
const MOUNT_ID = /^[0-9a-f]{64}$/

/** Holds of Docker's, beside the containers that Docker has. */
export const holdProbe: Probe = {
  name: 'holds',
  async run(place) {
    const { docker } = place
    if ('reason' in docker) return []
    const findings: Finding[] = []
    for (const [volume, holders] of await holdsAt(place)) {
      if (usersOf(volume, place).length > 0) continue
      const gone = [...holders.keys()].filter((id) => isGone(id, docker))
      if (gone.length > 0) findings.push(stale(volume, gone, place))
    }
    return findings
  },
}

function isGone(holder: string, { mountIds }: DockerState): boolean {
  return MOUNT_ID.test(holder) && !mountIds.some((it) => it.mountId === holder)
}

function stale(
  volume: string,
  holders: readonly string[],
  place: Place,
): Finding {
  const ids = holders.map((holder) => holder.slice(0, 12)).join(', ')
  return finding('stale-hold', volume, {
    explanation: `Volume "${volume}" is held by ${ids}, and Docker has no container with such a mount: one was lost while dockerd was down. The volume counts as in use`,
    advice:
      'Removing it with "docker volume rm" still works; anything else needs the hold to be dropped',
    repair: {
      action: 'drop the hold, and unmount the volume if it was the last',
      needsStopped: true,
      apply: () => dropHolds(volume, holders, place),
    },
  })
}

async function dropHolds(
  volume: string,
  holders: readonly string[],
  place: Place,
): Promise<void> {
  const holds = await Holds.open(holdsPath(place))
  try {
    for (const holder of holders) {
      while (holds.holders(volume).has(holder)) await holds.drop(volume, holder)
    }
    if (holds.count(volume) > 0) return
    for (const { directory, kind } of place.stores) {
      if (kind === 'tmpfs') continue
      await unmountVolume(join(directory, layout.VOLUMES, volume))
    }
  } finally {
    await holds.close()
  }
}
