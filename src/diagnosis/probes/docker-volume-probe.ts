import { volumesOf } from '../examined-volumes.ts'
import { finding, type Probe } from '../finding.ts'

/** The volumes that containers name, beside those that there are. */
export const dockerVolumeProbe: Probe = {
  name: 'volumes of containers',
  async run({ docker, stores }) {
    if ('reason' in docker) return []
    const present = new Set<string>()
    for (const store of stores) {
      for (const { name } of await volumesOf(store)) present.add(name)
    }
    return docker.containers.flatMap((container) =>
      container.mounts
        .filter(({ driver }) => docker.driverNames.has(driver))
        .filter(({ type, name }) => type === 'volume' && !present.has(name))
        .map(({ name }) =>
          finding('missing-volume', name, {
            explanation: `Container "${container.name}" needs volume "${name}", and no store has it. It cannot start`,
            advice: `Look in the trash with "stowage trash ls" and restore it, or bring back the disk it was on; else remove the container`,
          }),
        ),
    )
  },
}
