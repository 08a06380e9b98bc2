import * as fs from 'node:fs/promises'
import * as sync from 'node:fs'
import { join } from 'node:path'
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

/** The same for a thread, which does more in one go. */
export function setAttributesSync(
  directory: string,
  { uid, gid, mode }: VolumeOptions,
): void {
  if (uid !== undefined || gid !== undefined) {
    const present = sync.statSync(directory)
    sync.chownSync(directory, uid ?? present.uid, gid ?? present.gid)
  }
  if (mode !== undefined) sync.chmodSync(directory, mode)
}

/**
 * Sees to it that the root of the volume in `directory` has its attributes, and
 * answers whether there is anything in the volume. Synchronous, for a thread.
 *
 * Docker fills a new volume from the image and gives its root the attributes of
 * the image's directory. So they are set at each mount, for the last time at the
 * first that finds something in it; from then on they are the user's.
 */
export function settleRoot(directory: string, options: VolumeOptions): boolean {
  const settled = join(directory, SETTLED)
  const data = join(directory, DATA)
  if (sync.existsSync(settled)) return true
  const isFilled = !isEmpty(data)
  if (hasAttributes(options) || options.ro) {
    setAttributesSync(data, options)
    if (isFilled) sync.writeFileSync(settled, '', { mode: 0o600 })
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

function isEmpty(directory: string): boolean {
  const entries = sync.opendirSync(directory)
  try {
    return entries.readSync() === null
  } finally {
    entries.closeSync()
  }
}
