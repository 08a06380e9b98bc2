import { sep } from 'node:path'
import { detachLoop, type LoopDevice, loopDevices } from '../../linux/loop.ts'
import { finding, type Finding, type Probe } from '../finding.ts'

/** The kernel adds it to the path of a file that is no more. */
const DELETED = / \(deleted\)$/

/** Loop devices that show something of ours, and are of no use. */
export const loopProbe: Probe = {
  name: 'loop devices',
  async run({ stores, settings, mounts }) {
    const ours = [settings.dataRoot, ...stores.map((store) => store.directory)]
    const mounted = new Set(mounts.map(({ source }) => source))
    return (
      (await loopDevices())
        .filter(({ backingFile }) => {
          const file = backingFile.replace(DELETED, '')
          return ours.some((directory) => file.startsWith(directory + sep))
        })
        // Those that free themselves are in use, or will be gone in a moment.
        .filter(({ autoclear, path }) => !autoclear && !mounted.has(path))
        .map(leftover)
    )
  },
}

function leftover({ path, backingFile }: LoopDevice): Finding {
  return finding('leftover-loop', path, {
    explanation: `"${path}" shows "${backingFile}" and is not mounted. It keeps the image's room on disk after the volume is removed`,
    advice: `If nobody is at work on it, free it: "losetup --detach ${path}"`,
    repair: {
      action: 'free the loop device, once nobody has it open',
      needsStopped: false,
      apply: () => detachLoop(path),
    },
  })
}
