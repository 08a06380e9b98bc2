import * as fs from 'node:fs/promises'
import { applyLayer } from '../../src/archive/layer-apply.ts'
import type { Confinement } from '../../src/linux/confinement.ts'
import { setTimes } from '../../src/linux/file-times.ts'
import { isMountpoint } from '../../src/linux/mountinfo.ts'
import { mount, unmount } from '../../src/linux/mount.ts'
import type { ApplyLayer } from './layer.ts'

const OPTIONS = ['index=off', 'redirect_dir=off', 'metacopy=off']

/**
 * Applies layers to the upper directories of overlays, and mounts these where the
 * tree was, so that whoever looks sees a tree that was applied to.
 */
export function appliedToOverlay(confinement: Confinement): ApplyLayer {
  const lowersOf = new Map<string, string[]>()
  return async (root, tar, options) => {
    const number = lowersOf.get(root)?.length ?? 0
    const [upper, work, base] = ['upper', 'work', 'base'].map(
      (name) => `${root}-${name}-${number}`,
    )
    const lowers = lowersOf.get(root) ?? [base!]
    if (number === 0) {
      await fs.rename(root, base!)
      await fs.mkdir(root)
    }
    const { mode, mtimeNs } = await fs.stat(lowers[0]!, {
      bigint: true,
    })
    await fs.mkdir(upper!)
    await fs.chmod(upper!, Number(mode & 0o7777n))
    setTimes(upper!, mtimeNs, mtimeNs)
    await fs.mkdir(work!)
    lowersOf.set(root, [upper!, ...lowers])
    try {
      return await applyLayer(upper!, tar, { ...options, lowers, confinement })
    } finally {
      if (await isMountpoint(root)) await unmount(root)
      const directories = [
        `lowerdir=${lowers.join(':')}`,
        `upperdir=${upper}`,
        `workdir=${work}`,
      ]
      const spec = [...directories, ...OPTIONS]
      mount({ type: 'overlay', source: 'overlay', options: spec }, root)
    }
  }
}
