import * as fs from 'node:fs/promises'
import type { VolumeOptions } from './volume-options.ts'

/** Gives the root of a volume the owner, group and mode that were asked for. */
export async function setAttributes(
  directory: string,
  { uid, gid, mode }: VolumeOptions,
): Promise<void> {
  if (uid !== undefined || gid !== undefined) {
    const present = await fs.stat(directory)
    await fs.chown(directory, uid ?? present.uid, gid ?? present.gid)
  }
  // Last, because changing owners takes the set-id bits away.
  if (mode !== undefined) await fs.chmod(directory, mode)
}

export function hasAttributes({ uid, gid, mode }: VolumeOptions): boolean {
  return uid !== undefined || gid !== undefined || mode !== undefined
}

export async function isEmpty(directory: string): Promise<boolean> {
  const entries = await fs.opendir(directory)
  try {
    return (await entries.read()) === null
  } finally {
    await entries.close()
  }
}
