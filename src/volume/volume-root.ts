import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { exists } from '../state/listing.ts'
import { DATA, SETTLED } from './folder-layout.ts'
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

/**
 * Sees to it that the root of the volume in `directory` has its attributes, and
 * answers whether there is anything in the volume.
 *
 * Docker fills a new volume from the image and gives its root the attributes of
 * the image's directory. So they are set at each mount, for the last time at the
 * first that finds something in it; from then on they are the user's.
 */
export async function settleRoot(
  directory: string,
  options: VolumeOptions,
): Promise<boolean> {
  const settled = join(directory, SETTLED)
  const data = join(directory, DATA)
  if (await exists(settled)) return true
  const isFilled = !(await isEmpty(data))
  if (hasAttributes(options) || options.ro) {
    await setAttributes(data, options)
    if (isFilled) await fs.writeFile(settled, '', { mode: 0o600 })
  }
  return isFilled
}

/** Has the root of the volume in `directory` get its attributes at the next mount. */
export async function unsettleRoot(directory: string): Promise<void> {
  await fs.rm(join(directory, SETTLED), { force: true })
}

/** Whether roots of volumes with these options have different attributes. */
export function differInAttributes(
  one: VolumeOptions,
  other: VolumeOptions,
): boolean {
  return (
    one.uid !== other.uid || one.gid !== other.gid || one.mode !== other.mode
  )
}

function hasAttributes({ uid, gid, mode }: VolumeOptions): boolean {
  return uid !== undefined || gid !== undefined || mode !== undefined
}

async function isEmpty(directory: string): Promise<boolean> {
  const entries = await fs.opendir(directory)
  try {
    return (await entries.read()) === null
  } finally {
    await entries.close()
  }
}
