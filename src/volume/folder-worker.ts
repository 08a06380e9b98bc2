import * as fs from 'node:fs'
import { serveCalls } from '../base/thread.ts'
import type { Failure } from '../base/failure.ts'
import {
  MOUNTINFO,
  mountpointsBelow,
  mountpointsIn,
} from '../linux/mountinfo.ts'
import { lookAtVolume, type VolumeLook } from './look-at-volume.ts'
import { type Draft, placeVolumes } from './place-volumes.ts'
import type { VolumeOptions } from './volume-options.ts'
import { settleRoot } from './volume-root.ts'

/** What the threads of a store do in one go each: some small system calls. */
export type FolderCalls = {
  look(directory: string): VolumeLook
  settle(directory: string, options: VolumeOptions): boolean
  place(
    volumes: string,
    drafts: readonly Draft[],
  ): readonly (Failure | undefined)[]
  /** The mountpoints at `directory` and beneath it, deepest first. */
  mounts(directory: string): readonly string[]
  /** Renames a directory, unless something is mounted there or beneath: that is told. */
  move(directory: string, to: string): readonly string[]
}

serveCalls({
  look: lookAtVolume,
  settle: settleRoot,
  place: placeVolumes,
  mounts,
  move(directory, to) {
    const inside = mounts(directory)
    if (inside.length === 0) fs.renameSync(directory, to)
    return inside
  },
} satisfies FolderCalls)

function mounts(directory: string): readonly string[] {
  const all = mountpointsIn(fs.readFileSync(MOUNTINFO, 'utf8'))
  return mountpointsBelow(all, directory)
}
