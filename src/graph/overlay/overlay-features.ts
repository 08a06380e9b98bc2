import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, messageOf, NotSupportedError } from '../../base/errors.ts'
import { filesystemOf } from '../../linux/fs-magic.ts'
import { getXattr } from '../../linux/xattr.ts'
import type { Home } from '../home.ts'

/** What overlayfs does on the filesystem of one Home. */
export interface OverlayFeatures {
  /** Options that keep uppers plain, so that they tell a layer's changes. */
  readonly options: readonly string[]
  /** Whether an upper tells its layer's changes. */
  readonly tellsChanges: boolean
}

/**
 * Off by name, whatever the kernel was built with: an index ties an upper to one
 * set of lowers, a redirect and a metacopy leave content below.
 */
const OFF = ['index', 'redirect_dir', 'metacopy'] as const
const PARAMETERS = '/sys/module/overlay/parameters'

/** Since Linux 5.10: whoever takes the mount away does not wait for the disk. */
const VOLATILE = 'volatile'

const PROBE = ['lower', 'upper', 'work'] as const

/**
 * Tries in Home what layers need.
 *
 * @throws NotSupportedError where overlayfs cannot be mounted, or deletes nothing.
 */
export async function probeOverlay(home: Home): Promise<OverlayFeatures> {
  const options = await switchesOff()
  try {
    return { options, tellsChanges: await tryIn(home, options) }
  } catch (error) {
    // On a full disk nothing can be tried, and what is there must be served still.
    const cause = error instanceof NotSupportedError ? error.cause : error
    if (!isErrno(cause, 'ENOSPC', 'EDQUOT')) throw error
    return { options, tellsChanges: false }
  }
}

async function tryIn(home: Home, options: readonly string[]): Promise<boolean> {
  const draft = home.draft()
  const absolute = home.absolute(draft)
  try {
    // One by one: made all in one call, a full disk would be called a missing path.
    for (const path of ['', ...PROBE]) {
      await fs.mkdir(join(absolute, path), { mode: 0o700 })
    }
    await fs.mkdir(join(absolute, 'lower/directory'))
    await fs.writeFile(join(absolute, 'lower/file'), '')
    const isVolatile = await mountsWith(home, draft, [...options, VOLATILE])
    if (!isVolatile) await mountProbe(home, draft, options)
    try {
      return await tryOut(home, absolute)
    } finally {
      await home.unmount(`${draft}/merged`)
    }
  } finally {
    await fs.rm(absolute, { recursive: true, force: true })
  }
}

/** A kernel that does not know an option refuses it, so only known ones are named. */
async function switchesOff(): Promise<readonly string[]> {
  let known: readonly string[] = []
  try {
    known = await fs.readdir(PARAMETERS)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
  return OFF.filter((name) => known.includes(name)).map((name) => `${name}=off`)
}

async function mountsWith(
  home: Home,
  draft: string,
  options: readonly string[],
): Promise<boolean> {
  try {
    await mountProbe(home, draft, options)
    return true
  } catch (error) {
    if (error instanceof NotSupportedError) return false
    throw error
  }
}

async function mountProbe(
  home: Home,
  draft: string,
  options: readonly string[],
): Promise<void> {
  const directories = [
    `lowerdir=${draft}/lower`,
    `upperdir=${draft}/upper`,
    `workdir=${draft}/work`,
  ]
  const spec = {
    type: 'overlay',
    source: 'overlay',
    options: [...options, ...directories],
  }
  try {
    await home.mount([spec], `${draft}/merged`)
  } catch (error) {
    throw await notSupported(home, 'cannot be mounted', error)
  }
}

async function tryOut(home: Home, probe: string): Promise<boolean> {
  try {
    return await tellsChanges(probe)
  } catch (error) {
    throw await notSupported(home, 'does not work', error)
  }
}

async function notSupported(
  home: Home,
  what: string,
  cause: unknown,
): Promise<NotSupportedError> {
  const place = `in "${home.path}" on ${await filesystemOf(home.path)}`
  return new NotSupportedError(
    `overlay ${what} ${place}: ${messageOf(cause)}`,
    { cause },
  )
}

/** Deletes, makes anew and renames, and looks at what that left in the upper. */
async function tellsChanges(probe: string): Promise<boolean> {
  const merged = join(probe, 'merged')
  const upper = join(probe, 'upper')
  await fs.unlink(join(merged, 'file'))
  const whiteout = await fs.lstat(join(upper, 'file'))
  if (!whiteout.isCharacterDevice() || whiteout.rdev !== 0) {
    throw new Error('what is deleted leaves no whiteout')
  }
  if ((await fs.readdir(merged)).includes('file')) {
    throw new Error(
      'what is deleted still shows, because directories do not tell the types of their entries (xfs does with ftype=1)',
    )
  }
  if (!(await refusesRename(merged))) return false
  await fs.rmdir(join(merged, 'directory'))
  await fs.mkdir(join(merged, 'directory'))
  const opaque = getXattr(join(upper, 'directory'), 'trusted.overlay.opaque')
  return opaque?.toString() === 'y'
}

/** Renaming a directory of a lower fails, unless it is done by a redirect. */
async function refusesRename(merged: string): Promise<boolean> {
  try {
    await fs.rename(join(merged, 'directory'), join(merged, 'renamed'))
    return false
  } catch (error) {
    if (isErrno(error, 'EXDEV')) return true
    throw error
  }
}
