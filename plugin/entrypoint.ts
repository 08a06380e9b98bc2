import * as fs from 'node:fs/promises'
import { isErrno, messageOf } from '../src/base/errors.ts'
import { mknod } from '../src/linux/mknod.ts'
import { mount, unmount } from '../src/linux/mount.ts'
import { mountsBelow } from '../src/linux/mountinfo.ts'
import { VISIBLE_ROOT } from '../src/operations/hidden-store.ts'
import { refuseHiddenStores } from './hidden-stores.ts'

/**
 * What a managed plugin starts with. `docker plugin rm` deletes what a plugin keeps
 * in itself, so volumes live on the host, in a directory that the manifest binds
 * to HOST; and Docker sees only what is mounted beneath the propagated mount, so
 * they are shown there too.
 *
 *     /host/stowage        the host's /var/lib/stowage, as long as this runs
 *     /mnt/stowage/data    the same, where Docker sees it: STOWAGE_DATA_ROOT
 *     /mnt/stowage/<name>  Docker's Home for layers, deleted with the plugin
 */
const HOST = '/host'
const VOLUMES = `${HOST}/stowage`
const PROPAGATED = '/mnt/stowage'
const DATA_ROOT = `${PROPAGATED}/data`

const LOOP_CONTROL = '/dev/loop-control'

// Modes are stated where things are made, and mean what they say.
process.umask(0)
try {
  refuseHiddenStores(process.env.STOWAGE_STORES, DATA_ROOT)
  await showVolumes()
  await makeLoopControl()
} catch (error) {
  // Docker logs it, and takes the plugin for one that does not answer.
  process.stderr.write(`stowage: ${messageOf(error)}\n`)
  process.exit(2)
}
// What is added while it runs is held to the same.
process.env[VISIBLE_ROOT] = DATA_ROOT
await import('../src/main.ts')

async function showVolumes(): Promise<void> {
  await fs.mkdir(VOLUMES, { recursive: true, mode: 0o711 })
  await fs.mkdir(DATA_ROOT, { recursive: true, mode: 0o711 })
  // A plugin that died and was started again finds what it had mounted.
  if (!(await isSame(VOLUMES, DATA_ROOT))) {
    for (const point of await mountsBelow(DATA_ROOT)) await unmount(point)
    mount({ type: 'bind', source: VOLUMES, options: ['rbind'] }, DATA_ROOT)
  }
  // All else of the host is nothing that this should hold on to.
  await unmount(HOST)
}

/** Nobody makes devices in a plugin. */
async function makeLoopControl(): Promise<void> {
  try {
    mknod(LOOP_CONTROL, 'character', 0o600, { major: 10, minor: 237 })
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  }
}

async function isSame(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([fs.stat(one), fs.stat(other)])
  return a.dev === b.dev && a.ino === b.ino
}
