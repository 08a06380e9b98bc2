import { isErrno } from '../../base/errors.ts'
import { freeze, thaw } from '../../linux/freeze.ts'
import { isMountpoint, readMountInfo } from '../../linux/mountinfo.ts'

/** The longest that writers may be kept waiting. */
const LONGEST_FREEZE = 10_000

/** Runs `task` while nothing is written to what is mounted at `mountpoint`. */
export async function atRest(
  mountpoint: string,
  task: () => Promise<void>,
): Promise<void> {
  if (!(await isMountpoint(mountpoint))) {
    await task()
    return
  }
  await freeze(mountpoint)
  // Should the task hang, the volume must not hang with it.
  const watchdog = setTimeout(
    () => void Promise.allSettled([thaw(mountpoint)]),
    LONGEST_FREEZE,
  )
  try {
    await task()
  } finally {
    clearTimeout(watchdog)
    await thawQuietly(mountpoint)
  }
}

/** Thaws what this program left frozen when it was killed in the middle of a clone. */
export async function thawAll(store: string): Promise<void> {
  for (const { mountpoint, source } of await readMountInfo()) {
    const isOurs = mountpoint.startsWith(`${store}/`)
    // What else is mounted in there may hang when it is touched.
    if (isOurs && source.startsWith('/dev/loop')) await thawQuietly(mountpoint)
  }
}

async function thawQuietly(mountpoint: string): Promise<void> {
  try {
    await thaw(mountpoint)
  } catch (error) {
    // Not frozen, or nothing that could be.
    if (!isErrno(error, 'EINVAL', 'ENOTSUP', 'ENOTTY')) throw error
  }
}
