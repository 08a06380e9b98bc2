import { join } from 'node:path'
import { isErrno, NotSupportedError } from '../base/errors.ts'
import { exchange } from '../linux/exchange.ts'
import { syncDirectory } from '../state/atomic-file.ts'
import { DATA } from './folder-layout.ts'

/**
 * Exchanges the files of the volumes in two directories, in one step.
 *
 * @throws NotSupportedError where the filesystem cannot.
 */
export async function exchangeData(one: string, other: string): Promise<void> {
  try {
    await exchange(join(one, DATA), join(other, DATA))
  } catch (error) {
    if (!isErrno(error, 'EINVAL', 'ENOSYS')) throw error
    throw new NotSupportedError(
      `The filesystem of "${one}" cannot exchange two directories: clone the snapshot instead`,
      { cause: error },
    )
  }
  await syncDirectory(one)
}
