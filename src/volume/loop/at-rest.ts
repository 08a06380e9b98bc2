import { isErrno, InUseError } from '../../base/errors.ts'
import { freeze, thaw } from '../../linux/freeze.ts'
import { isMountpoint, readMountInfo } from '../../linux/mountinfo.ts'
import { LONGEST_PAUSE } from '../copy-options.ts'

/**
 * Runs `task` while nothing is written to what is mounted at `mountpoint`. Its
 * signal says when writers have been kept waiting for too long: they go on, and
 * what the task did counts for nothing.
 */
export async function atRest(
  mountpoint: string,
  task: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const tooLong = new AbortController()
  if (!(await isMountpoint(mountpoint))) {
    await task(tooLong.signal)
    return
  }
  await freeze(mountpoint)
  // Should the task hang, the volume must not hang with it.
  const watchdog = setTimeout(() => {
    tooLong.abort(
      new InUseError(
        `Writers cannot be kept waiting for more than ${LONGEST_PAUSE / 1000} s, and that was not enough: stop them first`,
      ),
    )
    void Promise.allSettled([thaw(mountpoint)])
  }, LONGEST_PAUSE)
  try {
    await task(tooLong.signal)
  } finally {
    clearTimeout(watchdog)
    await thawQuietly(mountpoint)
  }
  tooLong.signal.throwIfAborted()
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
